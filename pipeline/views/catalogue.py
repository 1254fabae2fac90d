"""Every view and macro as a DuckDB file on this machine, made once for each version of their SQL, and copied into connections.

DuckDB binds a view as it is created, and all views below it again: of all views that takes ten times as long as the copy, which
binds none.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

import duckdb

from pipeline import host, schema
from pipeline.lake import cache
from pipeline.views import raw_views, views
from pipeline.views.views import quoted

#: The storage format of a file: DuckDB 1.2 and later read it.
STORAGE_VERSION = "v1.2.0"


def load(con: duckdb.DuckDBPyConnection, database: str = "memory") -> None:
    """Create every macro, view and comment in a database of a connection, over raw views without rows.

    A damaged file is made again. Where none can be kept, the statements run in the connection.
    """
    for _ in range(2):
        try:
            return _copy(con, file(), database)
        except (OSError, RuntimeError):
            break
        except duckdb.Error:
            with suppress(OSError):
                _path().unlink(missing_ok=True)
    return _make(con, database)


def file() -> Path:
    """The file, made if there is none. Raises OSError, duckdb.Error, or RuntimeError if this user has no home."""
    return cache.copy(str(_path().relative_to(cache.folder())), _write)


def _path() -> Path:
    return cache.folder() / "views" / f"{_digest()}.duckdb"


def _digest() -> str:
    """A digest of all that the file is made of: tables and columns with their meanings, and SQL as this DuckDB understands it."""
    texts = [duckdb.__version__, *map(repr, schema.tables()), views.COLUMNS.read_text("utf-8"), *views.statements()]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with host.result(path) as new, raw_views.open_database() as con:
        con.execute(f"ATTACH {quoted(str(new))} AS new (STORAGE_VERSION '{STORAGE_VERSION}')").fetchall()
        _make(con, "new")
        con.execute("DETACH new").fetchall()


def _make(con: duckdb.DuckDBPyConnection, database: str) -> None:
    con.execute(f"USE {database}").fetchall()
    for statement in raw_views.without_rows():
        con.execute(statement).fetchall()
    views.install(con)
    con.execute("USE memory").fetchall()


def _copy(con: duckdb.DuckDBPyConnection, source: Path, database: str) -> None:
    con.execute(f"ATTACH {quoted(str(source))} AS made (READ_ONLY)").fetchall()
    try:
        con.execute(f"COPY FROM DATABASE made TO {database} (SCHEMA)").fetchall()
    finally:
        con.execute("DETACH made").fetchall()
