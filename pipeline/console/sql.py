"""The SQL prompt over a lake."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from rich.table import Table

from pipeline.console.show import message, results
from pipeline.errors import InputError
from pipeline.lake.store import Location
from pipeline.publish.escape import shown as bounded
from pipeline.publish.escape import visible

FORMATS = ("table", "csv", "json")


def run(lake: Location, query: str | None, form: str) -> None:
    """Print the rows of a query, or open a prompt. Raises InputError for a query that DuckDB refuses."""
    from pipeline.views import connection

    if form not in FORMATS:
        raise InputError("--format", f"{form!r} is not one of {', '.join(FORMATS)}")
    with connection.connect(lake) as con:
        for text in [query] if query else _prompt():
            _run(con, text, form, fatal=query is not None)


def _prompt() -> Iterator[str]:
    message("DuckDB with the views of the lake; SHOW TABLES lists them, Ctrl-D ends.")
    while True:
        try:
            yield input("census> ")
        except EOFError:
            return


def _run(con: Any, text: str, form: str, *, fatal: bool) -> None:
    import duckdb
    import pyarrow.csv

    try:
        relation = con.sql(text)
        table = relation.to_arrow_table() if relation is not None else None
    except duckdb.Error as error:
        if fatal:
            raise InputError("query", str(error)) from None
        message(str(error))
        return
    if table is None:
        return
    if form == "json":
        print(json.dumps(table.to_pylist(), default=str))
    elif form == "csv":
        pyarrow.csv.write_csv(_flat(table), sys.stdout.buffer)
    else:
        _print_table(table)


def _flat(table: Any) -> Any:
    """The table with JSON texts in place of lists and structs, which CSV cannot hold."""
    import pyarrow as pa

    for number, column in enumerate(table.schema):
        if pa.types.is_nested(column.type):
            texts = [None if value is None else json.dumps(value, default=str) for value in table[number].to_pylist()]
            table = table.set_column(number, column.name, pa.array(texts, pa.string()))
    return table


def _print_table(table: Any) -> None:
    printed = Table(*map(visible, table.column_names))
    for row in table.to_pylist():
        printed.add_row(*(bounded(str(value)) if value is not None else "" for value in row.values()))
    results().print(printed)
