"""The SQL of `analysis/` as views: staging over the raw relations, marts over staging, checks over both; and reports,
the questions that a report asks of the marts.

A file's name is the view's name, its header lines (Question, Grain, Notes) become the view's comment. Views find what
they build on by name, so the order of creation follows from the text and is stated nowhere else.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from types import MappingProxyType

import duckdb
import pyarrow as pa

from pipeline import checkout, schema

FOLDER = checkout.ANALYSIS

NOTHING: Mapping[str, str] = MappingProxyType({})

#: The marts that hold aggregates only. What is listed neither here nor below holds addresses and is never published.
PUBLISHED = (
    "totals",
    "funnel",
    "countries",
    "changes",
    "change_totals",
    "outcomes",
    "ports",
    "implementations",
    "products",
    "sectors",
    "network_kinds",
    "system_counts",
    "ae_control",
    "tls_share",
    "doubts",
    "country_databases",
    "suspicions",
    "rejections",
    "country_funnel",
    "harm_arms",
)
#: Marts with rows that name somebody, of which a report has those alone that `withhold.named` lets pass.
NAMED = ("networks",)
#: Marts that tell of several sweeps at once; published too.
SERIES = ("trend", "country_trend", "recaptures", "vantages", "loss")


@dataclass(frozen=True, slots=True)
class Query:
    """One file of SQL: its name, its statement, and its header as one comment."""

    name: str
    sql: str
    comment: str


@cache
def views() -> tuple[tuple[str, str, str], ...]:
    """Staging views and marts as (name, sql, comment), each after those that it reads."""
    found, reads = _found(), _reads()
    ordered = TopologicalSorter({name: sorted(reads[name]) for name in sorted(reads)}).static_order()
    return tuple((query.name, query.sql, query.comment) for query in map(found.__getitem__, ordered))


@cache
def _found() -> dict[str, Query]:
    return {query.name: query for query in [*_read("staging"), *_read("marts")]}


@cache
def _reads() -> dict[str, frozenset[str]]:
    """The views that each view reads."""
    found = _found()
    return {name: frozenset(_names_in(query.sql) & found.keys() - {name}) for name, query in found.items()}


def needed(names: Iterable[str]) -> frozenset[str]:
    """These views and all that they are built on."""
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        found |= waiting
        waiting = {below for name in waiting for below in _reads()[name]} - found
    return frozenset(found)


def comment(name: str) -> str:
    """What is said of a view: question, grain and notes."""
    return next(said for known, _, said in views() if known == name)


def macros() -> list[str]:
    """The statements that create the functions which the marts use."""
    return [query.sql for query in _read("macros") if " AS TABLE" not in query.sql]


def table_macros() -> list[str]:
    """The statements that create the questions with parameters, which read the marts."""
    return [query.sql for query in _read("macros") if " AS TABLE" in query.sql]


@cache
def report(name: str) -> Query:
    """What a report asks of the marts: a query with the parameter `$sweep`, one also with `$before`."""
    return parse(name, (FOLDER / "reports" / f"{name}.sql").read_text("utf-8"))


def checks() -> list[tuple[str, str]]:
    """Queries that return rows only when something is wrong, as (name, sql)."""
    return [(query.name, query.sql) for query in _read("checks")]


def statements(instead: Mapping[str, str] = NOTHING) -> Iterator[str]:
    """Everything that creates the macros and views over the raw relations, in order; some by other SQL for the same rows."""
    yield from macros()
    for name, sql, comment in views():
        yield _create(name, instead.get(name, sql))
        yield f"COMMENT ON VIEW {name} IS {quoted(comment)}"
    yield from table_macros()


def _create(name: str, sql: str) -> str:
    return f"CREATE OR REPLACE VIEW {name} AS\n{sql}"


def column_comments(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Say of every column of every view what it means: by the contract where the view is a table's, else by its name."""
    for name, columns in _columns(con).items():
        known = _meanings() | _contract(name)
        yield from (
            f'COMMENT ON COLUMN {name}."{column}" IS {quoted(known[column])}' for column in columns if column in known
        )


def _columns(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    asked = "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal ORDER BY table_name, column_index"
    for name, column in con.execute(asked).fetchall():
        if not name.startswith("raw_"):
            found.setdefault(name, []).append(column)
    return found


@cache
def _meanings() -> dict[str, str]:
    """The columns of the marts, by name."""
    return tomllib.loads((FOLDER / "columns.toml").read_text("utf-8"))


def _contract(name: str) -> dict[str, str]:
    """The columns of a table of the contract, with their units; none of another view."""
    if not (schema.FOLDER / f"{name}.toml").exists():
        return {}
    return {c.name: f"{c.meaning} <{c.unit}>" if c.unit else c.meaning for c in schema.table(name).columns}


def install(con: duckdb.DuckDBPyConnection, instead: Mapping[str, str] = NOTHING) -> None:
    """Create all views in a connection that has the raw relations (raw_responses, raw_associations, ...)."""
    for statement in statements(instead):
        con.execute(statement).fetchall()
    con.execute(";\n".join(column_comments(con))).fetchall()


def install_some(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Create these views and what they are built on, without comments: a part of the time that all of them take."""
    chosen = needed(names)
    for statement in [*macros(), *(_create(name, sql) for name, sql, _ in views() if name in chosen)]:
        con.execute(statement).fetchall()


def init_sql(instead: Mapping[str, str] = NOTHING) -> str:
    """The same as text for `duckdb -init`, to follow statements that create the raw relations."""
    return "".join(f"{statement};\n\n" for statement in [*statements(instead), *_comments_of_nothing()])


def _comments_of_nothing() -> list[str]:
    """The columns' comments, from a catalogue over empty tables: views have the same columns over any lake."""
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as con:
        for table in schema.tables():
            nothing = pa.schema([pa.field("sweep", pa.string()), *table.arrow]).empty_table()
            con.register(f"raw_{table.name}", nothing)
        for statement in statements():
            con.execute(statement).fetchall()
        return list(column_comments(con))


def quoted(text: str) -> str:
    """A text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def _read(folder: str) -> list[Query]:
    return [parse(path.stem, path.read_text("utf-8")) for path in sorted((FOLDER / folder).glob("*.sql"))]


def parse(name: str, text: str) -> Query:
    """Split a file into its header comment and its statement."""
    lines = text.splitlines()
    size = next((number for number, line in enumerate(lines) if not line.startswith("--")), len(lines))
    comment = "\n".join(line.removeprefix("--").strip() for line in lines[:size])
    return Query(name, "\n".join(lines[size:]).strip().rstrip(";"), comment)


def _names_in(sql: str) -> set[str]:
    """The relations that follow FROM or JOIN."""
    return set(re.findall(r"\b(?:FROM|JOIN)\s+(\w+)", sql))
