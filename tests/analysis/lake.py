"""A small lake in memory: tables of the contract, filled with what a test cares about."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from pipeline import schema
from pipeline.publish import queries

SWEEP = "s1"
OFFLINE = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
WHEN = datetime(2026, 6, 20, tzinfo=UTC)
BLANKS: Mapping[str, Any] = {"string": "", "binary": b"", "bool": False, "timestamp[us, UTC]": WHEN, "float64": 0.0}
Rows = Sequence[Mapping[str, Any]]


def connect(**tables: Rows) -> duckdb.DuckDBPyConnection:
    """A connection with every view over the given rows; columns that a row leaves out are null or blank."""
    con = duckdb.connect(config=OFFLINE)
    for table in schema.tables():
        con.register(f"raw_{table.name}", _arrow(table, tables.get(table.name, ())))
    queries.install(con)
    return con


def _arrow(table: schema.Table, rows: Rows) -> pa.Table:
    blank = {
        c.name: None if c.null else [] if c.type.startswith("list") else BLANKS.get(c.type, 0) for c in table.columns
    }
    filled = [{"sweep": SWEEP, **blank, **row} for row in rows]
    return pa.Table.from_pylist(filled, schema=pa.schema([pa.field("sweep", pa.string()), *table.arrow]))


def rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    return con.execute(sql).fetchall()
