"""A DuckDB connection (or the SQL that makes one) in which every table of a lake is ready under its name."""

from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline import schema
from pipeline.lake import store
from pipeline.lake.store import Sweep
from pipeline.publish import queries
from pipeline.publish.queries import quoted

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


def connect(lake: Path) -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB with all views of a lake. Raises InputError if the folder is no lake."""
    con = duckdb.connect(config=SETTINGS)
    con.execute("SET TimeZone = 'UTC'").fetchall()
    for statement in raw_statements(lake):
        con.execute(statement).fetchall()
    queries.install(con)
    return con


def init_sql(lake: Path) -> str:
    """The same as text for `duckdb -init`."""
    return "".join(f"{statement};\n\n" for statement in raw_statements(lake)) + queries.init_sql()


def raw_statements(lake: Path) -> list[str]:
    """Create the raw relations: each table of the lake with its sweep, from sealed tables and from parts at work."""
    places = store.sweeps(lake)
    return [f"CREATE OR REPLACE VIEW raw_{table.name} AS\n{_relation(table, places)}" for table in schema.tables()]


def _relation(table: schema.Table, places: list[Sweep]) -> str:
    sources = [source for place in places if (source := _source(table, place))]
    return "\nUNION ALL BY NAME\n".join([*sources, _nothing(table)])


def _source(table: schema.Table, place: Sweep) -> str:
    """One sweep's rows of a table; empty if it has none yet."""
    sealed = place.sealed(table.name)
    files = [sealed] if sealed.exists() else sorted((place.work / table.name).glob("*.parquet"))
    if files:
        listed = ", ".join(quoted(str(path.absolute())) for path in files)
        reader = f"read_parquet([{listed}], hive_partitioning = false)"
    elif table.name == "receipts" and any(place.receipts.glob("*.json")):
        columns = ", ".join(f"{quoted(c.name)}: {quoted(_json_type(c.field.type))}" for c in table.columns)
        reader = f"read_json({quoted(str(place.receipts.absolute()) + '/*.json')}, columns = {{{columns}}})"
        times = ", ".join(
            f'make_timestamptz("{c.name}") AS "{c.name}"' for c in table.columns if pa.types.is_timestamp(c.field.type)
        )
        reader = f"(SELECT * REPLACE ({times}) FROM {reader})"
    else:
        return ""
    chosen = ", ".join(f'"{column.name}"' for column in table.columns)
    return f"SELECT {chosen}, {quoted(place.id)} AS sweep FROM {reader}"


def _json_type(kind: pa.DataType) -> str:
    return "BIGINT" if pa.types.is_timestamp(kind) else sql_type(kind)


def _nothing(table: schema.Table) -> str:
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
