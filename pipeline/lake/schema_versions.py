"""Rows that earlier versions wrote, with the columns of today: files stay as they are, what they lack is filled in at reading.

What holds for a row from before a column was there is told by the schema (`before`); where nothing is told, nobody knows: null.
docs/decisions/0013-schema-versions.md says why nothing is written again. DuckDB does the same in `pipeline.views.raw_views`.
"""

import os
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import schema
from pipeline.lake.store import Location


def read(path: Location, table: str, columns: Sequence[str] = ()) -> pa.Table:
    """Columns (all if none are named) of a Parquet file of a table, of any of its versions."""
    with pq.ParquetFile(os.fspath(path)) as file:
        there = set(file.schema_arrow.names)
        wanted = [name for name in columns or schema.table(table).arrow.names if name in there]
        return today(file.read(wanted), table, columns)


def today(rows: pa.Table, table: str, columns: Sequence[str] = ()) -> pa.Table:
    """Rows of any version of a table with the columns (all if none are named), types and order of today's."""
    described = schema.table(table)
    by_name = {column.name: column for column in described.columns}
    chosen = [by_name[name] for name in columns or described.arrow.names]
    arrays = [
        rows[column.name].cast(column.field.type) if column.name in rows.column_names else _before(column, len(rows))
        for column in chosen
    ]
    fields = [
        column.field.with_nullable(column.field.nullable or bool(array.null_count))
        for column, array in zip(chosen, arrays, strict=True)
    ]
    return pa.table(arrays, schema=pa.schema(fields, described.arrow.metadata if not columns else None))


def receipt(data: dict[str, Any]) -> dict[str, Any]:
    """A receipt of any version with the keys of today's: those that came later hold what the schema says of rows before."""
    later = {column.name: column.before for column in schema.table("receipts").columns if column.since > 1}
    return later | data


def _before(column: schema.Column, rows: int) -> pa.Array:
    """A column of rows from before it was there."""
    return pa.repeat(pa.scalar(column.before, column.field.type), rows)
