"""The SQL prompt over a lake."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
from duckdb import StatementType

from pipeline import host
from pipeline.console import output as standard_output
from pipeline.console import result_formats
from pipeline.console.result_formats import BINARY, WRITERS
from pipeline.console.screen import results
from pipeline.console.show import message, warn
from pipeline.errors import InputError
from pipeline.lake.store import Location
from pipeline.views import connection, explained

FORMATS = ("table", *WRITERS)
#: Columns of a table in a file or a pipe.
UNLIMITED = 1_000_000
PROMPT = "census> "
#: What writes a file although it is no SELECT; that another word is taken for one of these is no harm.
WRITES = re.compile(r"\b(?:copy|export)\b", re.IGNORECASE)
QUIT = {"quit", "exit", ".quit", ".exit"}
HELP = """A line is a query of DuckDB's SQL, e.g. FROM countries WHERE sweep = latest()
.help            shows this, and what each view answers
.help NAME       explains a view with its columns, or a macro; docs/views.md has them all
DESCRIBE NAME    lists the columns of a view alone
.quit, Ctrl-D    ends"""


def run(
    lake: Location, query: str | None, form: str | None, output: Path | None = None, *, unsafe: bool = False
) -> None:
    """Print or write the rows of a query, or open a prompt. Raises InputError for a query that DuckDB refuses.

    Statements read the lake's tables and write nothing, unless they are `unsafe`.
    `form` is one of FORMATS; by default the end of the output's name, else a table. Without a query, statements come from
    standard input: at a terminal one a line, where an error does not end the prompt; else separated by semicolons.
    """
    form = _format(form, query, output)
    if unsafe:
        warn(["statements may read and write every file that you may, load extensions and use the network (--unsafe)"])
    with connection.connect(lake, unsafe=unsafe) as con:
        run_statements = partial(_run, con, unsafe=unsafe)
        if query or not sys.stdin.isatty():
            run_statements(query or sys.stdin.read(), form, output)
        else:
            for text in _prompt():
                _answer(run_statements, text, form)


def _run(con: duckdb.DuckDBPyConnection, text: str, form: str, output: Path | None = None, *, unsafe: bool) -> None:
    """Run statements, and print or write the rows of each; or explain what `.help` asks for. Raises InputError."""
    if text.strip().startswith(".help"):
        _explain(con, text.strip().removeprefix(".help").strip(" ;"))
        return
    for statement in _statements(con, text, unsafe=unsafe):
        _deliver(_rows(con, statement), form, output)


def _format(form: str | None, query: str | None, output: Path | None) -> str:
    """The format of the result. Raises InputError if there is none, or it does not fit the output."""
    form = form or (output.suffix.removeprefix(".") if output else "table")
    if form not in FORMATS:
        raise InputError("--format", f"{form!r} is not one of {', '.join(FORMATS)}")
    if output and (form == "table" or not query):
        raise InputError("--output", f"needs a query, and one of the formats {', '.join(WRITERS)}")
    if form in BINARY and not output:
        raise InputError("--format", f"{form} needs --output FILE")
    return form


def _statements(con: duckdb.DuckDBPyConnection, text: str, *, unsafe: bool) -> Iterator[str]:
    """The statements of a text. Raises InputError, also for one that would write a file."""
    try:
        statements = con.extract_statements(text)
    except duckdb.Error as error:
        raise InputError("query", str(error)) from None
    for statement in statements:
        # EXPLAIN ANALYZE and EXECUTE run what they hold, and a file that may be read could be written over.
        if not unsafe and statement.type is not StatementType.SELECT and WRITES.search(statement.query):
            raise InputError("query", "COPY and EXPORT write files; use -o FILE, or --unsafe on a lake that you trust")
        yield statement.query


def _rows(con: duckdb.DuckDBPyConnection, statement: str) -> pa.Table | None:
    """The rows of a statement; None if it has no result. Raises InputError."""
    try:
        relation = con.sql(statement)
        return relation.to_arrow_table() if relation is not None else None
    except duckdb.PermissionException as error:
        raise InputError("query", f"{error}; it may read this lake's tables alone, unless --unsafe is given") from None
    except duckdb.Error as error:
        raise InputError("query", str(error)) from None


def _deliver(table: pa.Table | None, form: str, output: Path | None) -> None:
    """Print a result, or write it to a file. Raises InputError if it cannot be written."""
    if table is None:
        return
    try:
        if output:
            with host.result(output) as temporary, temporary.open("wb") as file:
                WRITERS[form](table, file)
        elif form == "table":
            _print(table)
        else:
            WRITERS[form](table, standard_output.stream())
            standard_output.stream().flush()
    except BrokenPipeError:
        raise
    except (OSError, pa.ArrowException) as error:
        raise InputError("--output" if output else "--format", f"{output or form} cannot be written: {error}") from None


def _print(table: pa.Table) -> None:
    console, on_screen = results(), sys.stdout.isatty()
    if not on_screen:
        console.width = UNLIMITED
    console.print(result_formats.for_people(table, on_screen=on_screen))


def _prompt() -> Iterator[str]:
    """The lines that somebody types, with history."""
    with suppress(ImportError):
        import readline  # noqa: F401 - gives `input` its editing and history
    message("DuckDB with the views of the lake; SHOW TABLES lists them, .help helps, Ctrl-D ends.")
    while True:
        try:
            text = input(PROMPT).strip()
        except EOFError:
            return
        if text.rstrip(";") in QUIT:
            return
        if text:
            yield text


def _explain(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Print what a view or macro is, or what there is."""
    if not name:
        standard_output.text(HELP)
    text, columns = (explained.view(con, name) or explained.macro(con, name)) if name else explained.views(con)
    if text:
        standard_output.text(text)
    if len(columns):
        _print(columns)


def _answer(run_statements: Callable[[str, str], None], text: str, form: str) -> None:
    """Print the rows of what somebody typed, or why there are none."""
    try:
        run_statements(text, form)
    except InputError as error:
        message(error.reason)
