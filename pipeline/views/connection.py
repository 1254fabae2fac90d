"""A DuckDB connection (or the SQL that makes one) in which every table and view of a lake is ready under its name."""

import duckdb

from pipeline.lake.store import Location
from pipeline.views import marts, raw_views, views


def connect(lake: Location) -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB with all views of a lake. Raises InputError if the folder is not a lake."""
    con = raw_views.open_database()
    for statement in raw_views.statements(lake):
        con.execute(statement).fetchall()
    views.install(con, marts.built(lake))
    return con


def init_sql(lake: Location) -> str:
    """The same as text for `duckdb -init`."""
    raw = "".join(f"{statement};\n\n" for statement in raw_views.statements(lake))
    return raw + views.init_sql(marts.built(lake))
