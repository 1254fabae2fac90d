"""A DuckDB connection (or the SQL that makes one) in which every table of a lake is ready under its name."""

import duckdb

from pipeline.lake.store import Place
from pipeline.views import marts, queries, relations


def connect(lake: Place) -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB with all views of a lake. Raises InputError if the folder is no lake."""
    con = relations.connection()
    for statement in relations.statements(lake):
        con.execute(statement).fetchall()
    queries.install(con, marts.built(lake))
    return con


def init_sql(lake: Place) -> str:
    """The same as text for `duckdb -init`."""
    return "".join(f"{statement};\n\n" for statement in relations.statements(lake)) + queries.init_sql(
        marts.built(lake)
    )
