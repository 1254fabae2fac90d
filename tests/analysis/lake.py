"""A small lake in memory: tables of the contract, with the rows that a test needs."""

import atexit
import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import duckdb
import pyarrow as pa

from pipeline import schema
from pipeline.views import catalogue, raw_views
from pipeline.views.marts import BUILT

SWEEP = "s1"
OFFLINE = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
WHEN = datetime(2026, 6, 20, tzinfo=UTC)
BLANKS: Mapping[str, Any] = {"string": "", "binary": b"", "bool": False, "float64": 0.0}
NUMBERS = count()
Rows = Sequence[Mapping[str, Any]]


def connect(**tables: Rows) -> duckdb.DuckDBPyConnection:
    """A connection with every view over the given rows; a column missing from a row is null or blank."""
    copied = shutil.copy(catalogue.file(), _folder() / f"{next(NUMBERS)}.duckdb")
    con = duckdb.connect(str(copied), config=OFFLINE)
    for name, given in tables.items():
        filled = _arrow(schema.table(name), given)
        con.execute(f"DROP VIEW raw_{name}; CREATE TABLE raw_{name} AS FROM filled").fetchall()
        del filled
    return con


def build(con: duckdb.DuckDBPyConnection, names: Iterable[str] = BUILT) -> duckdb.DuckDBPyConnection:
    """Keep the rows of marts that `census enrich` builds: as there, what reads them is then planned in a third of the time."""
    for name in names:
        con.execute(
            f"CREATE TABLE built_{name} AS FROM {name}; CREATE OR REPLACE VIEW {name} AS FROM built_{name}"
        ).fetchall()
    return con


@cache
def _folder() -> Path:
    folder = Path(mkdtemp())
    atexit.register(shutil.rmtree, folder)
    return folder


def no_rows() -> list[tuple[str, str]]:
    """Each table of the contract by name, with SQL that gives its columns and no rows."""
    return [(table.name, raw_views.no_rows(table)) for table in schema.tables()]


def fill(con: duckdb.DuckDBPyConnection, name: str, given: Mapping[str, Any]) -> None:
    """Give a table of a connection these columns, arrays of one length; a missing column is null or blank in every row."""
    blank, length = blanks(schema.table(name)), len(next(iter(given.values())))
    typed = [pa.field("sweep", pa.string()), *schema.table(name).arrow]
    arrays = [
        pa.array(given[field.name]).cast(field.type)
        if field.name in given
        else pa.repeat(pa.scalar(blank[field.name], field.type), length)
        for field in typed
    ]
    filled = pa.table(arrays, schema=pa.schema(typed))
    con.execute(f"DROP VIEW raw_{name}; CREATE TABLE raw_{name} AS FROM filled").fetchall()
    del filled


def blanks(table: schema.Table, when: datetime = WHEN) -> dict[str, Any]:
    """What a row of a table has in the columns that it does not name: null, or a blank of their type."""
    given = {**BLANKS, "timestamp[us, UTC]": when}
    return {
        c.name: None if c.null else [] if c.type.startswith("list") else given.get(c.type, 0) for c in table.columns
    }


def _arrow(table: schema.Table, rows: Rows) -> pa.Table:
    blank = blanks(table)
    filled = [{"sweep": SWEEP, **blank, **row} for row in rows]
    return pa.Table.from_pylist(filled, schema=pa.schema([pa.field("sweep", pa.string()), *table.arrow]))


def rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    return con.execute(sql).fetchall()
