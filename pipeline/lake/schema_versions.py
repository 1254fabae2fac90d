"""Read rows that earlier versions wrote: the files stay as they are, and missing columns are filled in.

The schema says which value a column has in rows from before it existed (`before`); if it says nothing, the value is null.
docs/decisions/0013-schema-versions.md explains why files are not rewritten. `pipeline.views.raw_views` does the same in DuckDB.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import schema
from pipeline.errors import CensusError
from pipeline.lake import store
from pipeline.lake.store import Location


def read(path: Location, table: str, columns: Sequence[str] = ()) -> pa.Table:
    """Read columns (all if none are named) of a Parquet file of any version of a table.

    Raises FileNotFoundError, and CensusError if it is damaged or is another table's.
    """
    file = store.file(path)
    with damage_named(path, table), pq.ParquetFile(file) as parquet:
        there = set(parquet.schema_arrow.names)
        wanted = [name for name in columns or schema.table(table).arrow.names if name in there]
        return today(parquet.read(wanted), table, columns)


def as_written(path: Location, table: str) -> pa.Table:
    """Read a Parquet file with the columns that it was written with. Raises as `read` does."""
    file = store.file(path)
    with damage_named(path, table), pq.ParquetFile(file) as parquet:
        return parquet.read()


@contextmanager
def damage_named(path: object, table: str) -> Iterator[None]:
    """Turn what Arrow says of a damaged file of a table into CensusError while the block runs; `path` is the file or its folder."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        brief = str(error).partition("\n")[0]
        raise CensusError(f"{path}: the table is damaged, or is not a table `{table}`: {brief}") from None


def today(rows: pa.Table, table: str, columns: Sequence[str] = ()) -> pa.Table:
    """Return rows of any version of a table with today's columns (all if none are named), types and order."""
    described = schema.table(table)
    by_name = {column.name: column for column in described.columns}
    selected = [by_name[name] for name in columns or described.arrow.names]
    arrays = [
        rows[column.name].cast(column.field.type) if column.name in rows.column_names else _before(column, len(rows))
        for column in selected
    ]
    fields = [
        column.field.with_nullable(column.field.nullable or bool(array.null_count))
        for column, array in zip(selected, arrays, strict=True)
    ]
    return pa.table(arrays, schema=pa.schema(fields, described.arrow.metadata if not columns else None))


def receipt(data: dict[str, Any]) -> dict[str, Any]:
    """Return a receipt of any version with today's keys; a key that it lacks has the value of `before`."""
    later = {column.name: column.before for column in schema.table("receipts").columns if column.since > 1}
    return later | data


def _before(column: schema.Column, rows: int) -> pa.Array:
    """Return a column for rows from before it existed."""
    return pa.repeat(pa.scalar(column.before, column.field.type), rows)
