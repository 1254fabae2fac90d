"""What the catalogue of a connection says of its views and macros: their comments, for people who ask at a prompt."""

import duckdb
import pyarrow as pa

from pipeline.errors import InputError

#: A text, and a table that goes with it.
Explanation = tuple[str, pa.Table]
NO_TABLE = pa.table({})


def views(con: duckdb.DuckDBPyConnection) -> Explanation:
    """Return each view with its question; the raw tables below them are left out."""
    sql = r"""
        SELECT view_name AS view, regexp_extract(comment, 'Question: ([^\n]*)', 1) AS question
        FROM duckdb_views()
        WHERE NOT internal AND comment IS NOT NULL
        ORDER BY view_name
    """
    return "", con.sql(sql).to_arrow_table()


def view(con: duckdb.DuckDBPyConnection, name: str) -> Explanation | None:
    """Return a view's comment, and its columns with types and meanings; None if no view has that name."""
    comments = con.execute(
        "SELECT comment FROM duckdb_views() WHERE NOT internal AND view_name = lower(?)", [name]
    ).fetchall()
    if not comments:
        return None
    sql = """
        SELECT column_name AS "column", data_type AS type, comment AS meaning
        FROM duckdb_columns()
        WHERE NOT internal AND table_name = lower(?)
        ORDER BY column_index
    """
    return comments[0][0] or "", con.execute(sql, [name]).to_arrow_table()


def macro(con: duckdb.DuckDBPyConnection, name: str) -> Explanation:
    """Return a macro's call and comment. Raises InputError if nothing has that name."""
    sql = """
        SELECT function_name || '(' || array_to_string(parameters, ', ') || ')', comment
        FROM duckdb_functions()
        WHERE NOT internal AND function_name = lower(?)
        ORDER BY function_type
    """
    macros = con.execute(sql, [name]).fetchall()
    if not macros:
        raise InputError(".help", f"{name!r} is not a view or macro of the lake; `.help` lists the views")
    return "\n\n".join(f"{call}\n{comment}" for call, comment in macros), NO_TABLE
