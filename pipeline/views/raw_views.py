"""Each table of a lake as one view of DuckDB, `raw_NAME`, with the sweep of each row.

A sealed sweep is read from its sealed tables, one at work from the parts that its receipts name. Rows of every earlier schema version
come with the columns and types of today (docs/decisions/0013-schema-versions.md).
"""

import re
from collections.abc import Collection, Iterable, Iterator

import duckdb
import pyarrow as pa

from pipeline import schema
from pipeline.errors import InputError
from pipeline.lake import layout, receipts, store
from pipeline.lake.layout import SweepPaths
from pipeline.lake.store import Location
from pipeline.views.views import quoted

#: By default DuckDB downloads extensions on use; a census reads its lake and nothing else.
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}

#: All columns of files, without the one in which DuckDB names them.
EVERYTHING = "* EXCLUDE (filename)"
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


def open_database() -> duckdb.DuckDBPyConnection:
    """Open a new in-memory DuckDB: times in UTC, no downloads, no progress bar."""
    con = duckdb.connect(config=SETTINGS)
    for name, value in (("TimeZone", "'UTC'"), ("enable_progress_bar", "false")):
        con.execute(f"SET {name} = {value}").fetchall()
    return con


def statements(lake: Location) -> list[str]:
    """The statements that create the raw views of a lake. Raises InputError if the folder is not a lake."""
    if any(name.startswith("sweep=") for name in str(lake.absolute()).split("/")):
        raise InputError(str(lake), "is inside a folder named `sweep=`, as the sweeps of a lake are; move the lake")
    return of_sweeps(layout.sweeps(lake))


def of_sweeps(sweeps: list[SweepPaths], tables: Collection[str] = ()) -> list[str]:
    """The statements that create the raw views of these sweeps alone; of these tables, or of all."""
    return [f"CREATE OR REPLACE VIEW raw_{table.name} AS\n{rows_of(table, sweeps)}" for table in _tables(tables)]


def without_rows() -> list[str]:
    """The statements that create each raw view with its columns and types, and no row.

    Views can be created over these, and these replaced: over the files of a lake that takes four times as long, since DuckDB looks
    into all of them for each view.
    """
    return [f"CREATE OR REPLACE VIEW raw_{table.name} AS\n{no_rows(table)}" for table in _tables(())]


def _tables(names: Collection[str]) -> list[schema.Table]:
    """The tables of these names; all, if there are none."""
    return [table for table in schema.tables() if not names or table.name in names]


def by_pattern(present: Collection[str]) -> Iterator[str]:
    """The statements that create the raw views over all sealed sweeps of the folder in which DuckDB looks for files.

    A table that is not `present` is empty: a pattern without a file is an error to DuckDB 1.5.
    """
    for table in schema.tables():
        pattern = quoted(f"{table.name}/sweep=*/{layout.SEALED}")
        sources = [_read(pattern, _existing(column.name for column in table.columns))] if table.name in present else []
        yield f"CREATE OR REPLACE VIEW raw_{table.name} AS\n{_filled_up(table, sources)}"


def rows_of(table: schema.Table, sweeps: list[SweepPaths]) -> str:
    """SQL for all rows of a table, with the columns and types of today."""
    files = {paths: paths.sealed(table.name) for paths in sweeps}
    sealed = {paths: file for paths, file in files.items() if file.exists()}
    sources = [read_sweeps(sealed.values(), [column.name for column in table.columns])] if sealed else []
    at_work = [source for paths in sweeps if paths not in sealed and (source := _rows_at_work(table, paths))]
    return _filled_up(table, [*sources, *at_work])


def _filled_up(table: schema.Table, sources: Iterable[str]) -> str:
    """SQL for the rows of these sources; what an earlier version lacks is filled in."""
    rows = "\nUNION ALL BY NAME\n".join([no_rows(table), *sources])
    filled = ", ".join(_filled(column) for column in table.columns if column.before is not None)
    return f"SELECT * REPLACE ({filled}) FROM (\n{rows}\n)" if filled else rows


def _filled(column: schema.Column) -> str:
    """A column that older rows lack and that is never null: for them, the value that the schema says."""
    before = quoted(column.before) if isinstance(column.before, str) else column.before
    return f'coalesce("{column.name}", {before}::{sql_type(column.field.type)}) AS "{column.name}"'


def read_sweeps(files: Iterable[Location], columns: Iterable[str] = ()) -> str:
    """SQL for the rows of files in folders `sweep=ID`; a query about one sweep opens only that sweep's files.

    The sweep is that of the last such folder. No other part of the path says anything: a lake may be below a folder `country=GB`.
    """
    return _read(f"[{_listed(files)}]", _existing(columns) if columns else EVERYTHING)


def read_alike(files: Iterable[Location]) -> str:
    """The same for all columns of files that have the same ones: DuckDB asks only the first for them, however many there are."""
    return _read(f"[{_listed(files)}]", EVERYTHING, alike=True)


def _read(files: str, selected: str, *, alike: bool = False) -> str:
    """SQL for these columns of files, which are SQL too, and for the sweep that each file's path has."""
    return (
        f"SELECT {selected}, regexp_extract(filename, '.*/sweep=([^/]*)/', 1) AS sweep "
        f"FROM read_parquet({files}, union_by_name = {str(not alike).lower()}, filename = true, hive_partitioning = false)"
    )


def _existing(columns: Iterable[str]) -> str:
    """Those of these columns that the files have."""
    return f"COLUMNS(lambda name: name IN ({', '.join(map(quoted, columns))}))"


def _listed(files: Iterable[Location]) -> str:
    """The names of files as SQL strings; a character that would begin a pattern stands for itself."""
    return ", ".join(quoted(re.sub(r"([*?\[])", r"[\1]", str(path))) for path in store.files(files))


def opened(statement: str) -> Iterator[str]:
    """Yield the files that a statement of these views opens: as patterns, which DuckDB looks up, and by their names."""
    for text in re.findall(r"'((?:[^']|'')*\.(?:parquet|json))'", statement):
        pattern = text.replace("''", "'")
        yield pattern
        yield re.sub(r"\[([*?\[])\]", r"\1", pattern)


def _rows_at_work(table: schema.Table, paths: SweepPaths) -> str:
    """SQL for the rows of a table of a sweep in which it is not sealed; empty if it has none yet."""
    if parts := receipts.parts(paths, table.name):
        reader = f"read_parquet([{_listed(parts)}], union_by_name = true, hive_partitioning = false)"
    elif table.name == "receipts" and (files := store.entries(paths.receipts, "*.json")):
        reader = _read_json(table, files)
    else:
        return ""
    return f"SELECT {_existing(table.arrow.names)}, {quoted(paths.id)} AS sweep FROM {reader}"


def _read_json(table: schema.Table, files: Iterable[Location]) -> str:
    """SQL for JSON files, one row each, with their times (microseconds since 1970) as timestamps."""
    columns = ", ".join(f"{quoted(c.name)}: {quoted(_json_type(c.field.type))}" for c in table.columns)
    times = [c.name for c in table.columns if pa.types.is_timestamp(c.field.type)]
    replaced = ", ".join(f'make_timestamptz("{name}") AS "{name}"' for name in times)
    return f"(SELECT * REPLACE ({replaced}) FROM read_json([{_listed(files)}], columns = {{{columns}}}, hive_partitioning = false))"


def _json_type(kind: pa.DataType) -> str:
    return "BIGINT" if pa.types.is_timestamp(kind) else sql_type(kind)


def no_rows(table: schema.Table) -> str:
    """SQL for no row with every column: a table that no sweep has yet is empty, not absent."""
    columns = ", ".join(f'NULL::{sql_type(column.field.type)} AS "{column.name}"' for column in table.columns)
    return f"SELECT {columns}, NULL::VARCHAR AS sweep WHERE false"


def sql_type(kind: pa.DataType) -> str:
    """DuckDB's name of an Arrow type."""
    if pa.types.is_list(kind):
        return sql_type(kind.value_type) + "[]"
    if pa.types.is_struct(kind):
        return "STRUCT(" + ", ".join(f'"{member.name}" {sql_type(member.type)}' for member in kind) + ")"
    return _SQL_TYPES[str(kind)]
