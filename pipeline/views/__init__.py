"""DuckDB over a lake: raw tables, views, and the marts that enriching builds."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def connect(lake: str | Path, *, unsafe: bool = False) -> "duckdb.DuckDBPyConnection":
    """Return a DuckDB connection with every table and view of a lake, for notebooks and scripts (docs/sql.md).

    `lake` is a folder or the URL of a bucket. Statements read the lake alone, and what `register` adds; with `unsafe` also other
    files, and the variables of Python. Sweeps that are sealed later are in the next connection. Raises InputError if the folder is
    not a lake.
    """
    from pipeline.lake import store
    from pipeline.views import connection

    return connection.connect(store.at(str(lake)), unsafe=unsafe)
