"""A DuckDB connection (or the SQL that makes one) in which every table and view of a lake is ready under its name."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import duckdb

from pipeline import schema
from pipeline.errors import InputError
from pipeline.lake import layout
from pipeline.lake.layout import SweepPaths
from pipeline.lake.store import Location
from pipeline.views import catalogue, linked_marts, marts, raw_views, views

#: Marts that are read from files where they are built.
BUILT = (*marts.BUILT, *linked_marts.LINKED)


def connect(lake: Location, *, unsafe: bool = False) -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB with all views of a lake. Raises InputError if the folder is not a lake.

    It opens the files of these views and nothing else, and no statement changes that; `unsafe` leaves everything open.
    """
    con = raw_views.open_database()
    try:
        statements = raw_views.statements(lake)
        built = _built(layout.sweeps(lake))
        catalogue.load(con)
        if built:
            views.replace(con, built)
        for statement in statements:
            con.execute(statement).fetchall()
    except duckdb.Error as error:
        con.close()
        raise InputError(str(lake), f"holds a file that DuckDB cannot read: {error}") from None
    if not unsafe:
        _lock(con, [*statements, *built.values()])
    return con


def connect_to(sweeps: Sequence[SweepPaths], names: Iterable[str]) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB with these views alone, over these sweeps of a lake; the time does not depend on the lake's other sweeps.

    It opens the files of these views and nothing else. Raises InputError for a file that cannot be read.
    """
    con = raw_views.open_database()
    try:
        wanted, built, statements = _of_sweeps(sweeps, names)
        catalogue.load(con)
        if built:
            views.replace(con, built)
        absent = {table.name for table in schema.tables()} - views.tables_of(wanted, built)
        for statement in (*statements, *(f"DROP VIEW raw_{name}" for name in sorted(absent))):
            con.execute(statement).fetchall()
    except duckdb.Error as error:
        con.close()
        raise InputError(str(sweeps[0].lake), f"holds a file that DuckDB cannot read: {error}") from None
    _lock(con, [*statements, *built.values()])
    return con


def narrow(con: duckdb.DuckDBPyConnection, sweeps: Sequence[SweepPaths], names: Iterable[str]) -> None:
    """Let these views of `connect_to` hold only these of its sweeps. Another connection to them would take ten times as long."""
    wanted, built, statements = _of_sweeps(sweeps, names)
    marts_ = (name for name in BUILT if name in wanted)
    created = [views.create(name, built.get(name, views.view(name).sql)) for name in marts_]
    for statement in [*statements, *created]:
        con.execute(statement).fetchall()


def _of_sweeps(
    sweeps: Sequence[SweepPaths], names: Iterable[str]
) -> tuple[frozenset[str], Mapping[str, str], list[str]]:
    """The views that these are built on, those of them that are built marts, and the statements that create the raw ones."""
    built = _built(sweeps, views.needed(names))
    wanted = views.needed(names, built)
    built = {name: sql for name, sql in built.items() if name in wanted}
    return wanted, built, raw_views.of_sweeps(list(sweeps), views.tables_of(wanted, built))


def _built(sweeps: Sequence[SweepPaths], names: Collection[str] = BUILT) -> Mapping[str, str]:
    """Mart → SQL that reads the built files, of these marts."""
    own, linked = ([name for name in some if name in names] for some in (marts.BUILT, linked_marts.LINKED))
    return {**marts.built_of(sweeps, own), **linked_marts.built_of(sweeps, linked)}


def _lock(con: duckdb.DuckDBPyConnection, statements: Iterable[str]) -> None:
    """Let a connection open the files that these statements read, and no other; no extension, network or variable of ours."""
    opened = sorted({name for statement in statements for name in raw_views.opened(statement)})
    allowed = ", ".join(map(views.quoted, opened))
    for name, value in (
        ("allowed_paths", f"[{allowed}]"),
        ("enable_external_access", "false"),
        ("python_enable_replacements", "false"),
        ("lock_configuration", "true"),
    ):
        con.execute(f"SET {name} = {value}").fetchall()


def init_sql(lake: Location) -> str:
    """The same as text for `duckdb -init`; the lake's files come last, since DuckDB looks into all of them for each view."""
    empty, raw = (
        "".join(f"{statement};\n\n" for statement in some)
        for some in (raw_views.without_rows(), raw_views.statements(lake))
    )
    return empty + views.init_sql(_built(layout.sweeps(lake))) + raw
