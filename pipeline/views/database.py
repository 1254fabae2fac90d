"""A DuckDB file in the lake, `census.duckdb`, with every view, for DuckDB's own shell and other programs.

It holds definitions and no rows. Its views name files by patterns relative to the lake, so the lake may be moved or copied, and sweeps
that are sealed later are in it. DuckDB looks for such files in the working directory or in its setting `file_search_path`.
"""

from pathlib import Path

import duckdb

from pipeline import schema
from pipeline.errors import InputError
from pipeline.lake import layout
from pipeline.lake.store import Location
from pipeline.views import catalogue, raw_views, views

NAME = "census.duckdb"


def write(lake: Location) -> Path:
    """Write the file anew and return it. A table that no sealed sweep has stays empty in it, until it is written again.

    Raises InputError if the lake is in a bucket or has no sealed sweep, and if the file is in use.
    """
    if not isinstance(lake, Path):
        raise InputError(str(lake), "is in a bucket; a database file needs a folder")
    present = {table.name for table in schema.tables() for paths in layout.sweeps(lake) if _has(paths, table.name)}
    if "sweeps" not in present:
        raise InputError(str(lake), "has no sealed sweep yet")
    final, new = lake / NAME, lake / f".{NAME}.new"
    new.unlink(missing_ok=True)
    try:
        _fill(new, lake, present)
        new.replace(final)
    except (duckdb.Error, OSError) as error:
        raise InputError(str(final), f"cannot be written: {error}") from None
    finally:
        new.unlink(missing_ok=True)
    return final


def _has(paths: layout.SweepPaths, table: str) -> bool:
    return bool(paths.sealed(table).exists())


def _fill(file: Path, lake: Path, present: set[str]) -> None:
    """Create every view in a new file. Statements are run in its own catalogue, so that they name no other."""
    with raw_views.open_database() as con:
        con.execute(
            f"ATTACH {views.quoted(str(file))} AS census (STORAGE_VERSION '{catalogue.STORAGE_VERSION}')"
        ).fetchall()
        catalogue.load(con, "census")
        con.execute("USE census").fetchall()
        con.execute(f"SET file_search_path = {views.quoted(str(lake.absolute()))}").fetchall()
        for statement in raw_views.by_pattern(present):
            con.execute(statement).fetchall()
        con.execute("USE memory").fetchall()
        con.execute("DETACH census").fetchall()
