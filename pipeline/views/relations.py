"""Each table of a lake as one relation of DuckDB, `raw_NAME`, with the sweep of each row: sealed tables and parts at work."""

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from pipeline import schema
from pipeline.errors import InputError
from pipeline.lake import receipts, store
from pipeline.lake.store import Place, Sweep
from pipeline.views.queries import quoted

#: DuckDB would try to download extensions on use; a census reads its lake and nothing else.
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}

_SQL_TYPES = {
    "bool": "BOOLEAN",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "binary": "BLOB",
    "timestamp[us, tz=UTC]": "TIMESTAMPTZ",
}


def connection() -> duckdb.DuckDBPyConnection:
    """A new in-memory DuckDB: times in UTC, nothing downloaded, no progress on the screen."""
    con = duckdb.connect(config=SETTINGS)
    for name, value in (("TimeZone", "'UTC'"), ("enable_progress_bar", "false")):
        con.execute(f"SET {name} = {value}").fetchall()
    return con


def statements(lake: Place) -> list[str]:
    """Create the raw relations of a lake. Raises InputError if the folder is no lake."""
    if any(name.startswith("sweep=") for name in str(lake.absolute()).split("/")):
        raise InputError(str(lake), "lies in a folder that is called `sweep=`, as the sweeps of a lake are; move it")
    return of_sweeps(store.sweeps(lake))


def of_sweeps(places: list[Sweep]) -> list[str]:
    """Create the raw relations of these sweeps alone."""
    return [f"CREATE OR REPLACE VIEW raw_{table.name} AS\n{relation(table, places)}" for table in schema.tables()]


def relation(table: schema.Table, places: list[Sweep]) -> str:
    """All rows of a table as a query, with the columns and types of today: what an earlier version lacks is filled in."""
    sealed = [path for place in places if (path := place.sealed(table.name)).exists()]
    sources = [read_sweeps(sealed, [column.name for column in table.columns])] if sealed else []
    working = [source for place in places if (source := _working(table, place))]
    rows = "\nUNION ALL BY NAME\n".join([nothing(table), *sources, *working])
    filled = ", ".join(_filled(column) for column in table.columns if column.before is not None)
    return f"SELECT * REPLACE ({filled}) FROM (\n{rows}\n)" if filled else rows


def _filled(column: schema.Column) -> str:
    """A column that is never null, except in rows from before it was there: then what the schema says of them."""
    before = quoted(column.before) if isinstance(column.before, str) else column.before
    return f'coalesce("{column.name}", {before}::{sql_type(column.field.type)}) AS "{column.name}"'


def read_sweeps(files: Iterable[Place], columns: Iterable[str] = ()) -> str:
    """Rows of files that lie in folders `sweep=ID`, of which a question about one sweep opens that one's alone."""
    chosen = _those_of([*columns, "sweep"]) if columns else "*"
    return (
        f"SELECT {chosen} FROM read_parquet([{_listed(files)}], union_by_name = true, "
        "hive_partitioning = true, hive_types_autocast = false)"
    )


def _those_of(columns: Iterable[str]) -> str:
    """Those of these columns that the files have."""
    return f"COLUMNS(name -> name IN ({', '.join(map(quoted, columns))}))"


def _listed(files: Iterable[Place]) -> str:
    return ", ".join(quoted(str(path)) for path in store.files(files))


def _working(table: schema.Table, place: Sweep) -> str:
    """The rows of a table of a sweep that is not sealed; empty if it has none yet."""
    if place.sealed(table.name).exists():
        return ""
    if files := receipts.parts(place, table.name):
        reader = f"read_parquet([{_listed(files)}], union_by_name = true, hive_partitioning = false)"
    elif table.name == "receipts" and (given := store.entries(place.receipts, "*.json")):
        columns = ", ".join(f"{quoted(c.name)}: {quoted(_json_type(c.field.type))}" for c in table.columns)
        reader = f"read_json([{_listed(given)}], columns = {{{columns}}})"
        times = ", ".join(
            f'make_timestamptz("{c.name}") AS "{c.name}"' for c in table.columns if pa.types.is_timestamp(c.field.type)
        )
        reader = f"(SELECT * REPLACE ({times}) FROM {reader})"
    else:
        return ""
    return f"SELECT {_those_of(table.arrow.names)}, {quoted(place.id)} AS sweep FROM {reader}"


def _json_type(kind: pa.DataType) -> str:
    return "BIGINT" if pa.types.is_timestamp(kind) else sql_type(kind)


def nothing(table: schema.Table) -> str:
    """No row, with every column: a table that no sweep has yet is empty, not absent."""
    columns = ", ".join(f'NULL::{sql_type(column.field.type)} AS "{column.name}"' for column in table.columns)
    return f"SELECT {columns}, NULL::VARCHAR AS sweep WHERE false"


def sql_type(kind: pa.DataType) -> str:
    """DuckDB's name of an Arrow type."""
    if pa.types.is_list(kind):
        return sql_type(kind.value_type) + "[]"
    if pa.types.is_struct(kind):
        return "STRUCT(" + ", ".join(f'"{member.name}" {sql_type(member.type)}' for member in kind) + ")"
    return _SQL_TYPES[str(kind)]
