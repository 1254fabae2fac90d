"""The SQL of `analysis/` as views: staging over the raw relations, marts over staging, checks over both.

A file's name is the view's name, its header lines (Question, Grain, Notes) become the view's comment. Views find what
they build on by name, so the order of creation follows from the text and is stated nowhere else.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb

FOLDER = Path(__file__).parent.parent.parent / "analysis"

#: The marts that hold aggregates only. What is not listed here holds addresses and is never published.
PUBLISHED = ("totals", "funnel", "countries", "outcomes", "implementations", "products", "suspicions", "rejections")


@dataclass(frozen=True, slots=True)
class Query:
    """One file of SQL: its name, its statement, and its header as one comment."""

    name: str
    sql: str
    comment: str


def views() -> list[tuple[str, str, str]]:
    """Staging views and marts as (name, sql, comment), each after those that it reads."""
    found = {query.name: query for query in [*_read("staging"), *_read("marts")]}
    reads = {name: _names_in(query.sql) & found.keys() - {name} for name, query in found.items()}
    ordered = TopologicalSorter({name: sorted(reads[name]) for name in sorted(reads)}).static_order()
    return [(query.name, query.sql, query.comment) for query in map(found.__getitem__, ordered)]


def macros() -> list[str]:
    """The statements that create the functions which the marts use."""
    return [query.sql for query in _read("macros")]


def checks() -> list[tuple[str, str]]:
    """Queries that return rows only when something is wrong, as (name, sql)."""
    return [(query.name, query.sql) for query in _read("checks")]


def statements() -> Iterator[str]:
    """Everything that creates the macros and views over the raw relations, in order."""
    yield from macros()
    for name, sql, comment in views():
        yield f"CREATE OR REPLACE VIEW {name} AS\n{sql}"
        yield f"COMMENT ON VIEW {name} IS {quoted(comment)}"


def install(con: duckdb.DuckDBPyConnection) -> None:
    """Create all views in a connection that has the raw relations (raw_responses, raw_associations, ...)."""
    for statement in statements():
        con.execute(statement).fetchall()


def init_sql() -> str:
    """The same as text for `duckdb -init`, to follow statements that create the raw relations."""
    return "".join(f"{statement};\n\n" for statement in statements())


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
