"""The SQL of `analysis/`: macros, the views over a lake's raw tables, the queries of reports, and checks.

Rules

* A file holds one statement. Its name is the name of the macro, view, query or check.
* Its header, a comment, becomes the view's comment: Question, Grain, Order (a published mart), Notes.
* Folders build on each other: `macros`, `staging` over the raw tables, `marts` over staging, `checks` over both. `reports` hold
  what a report asks of several sweeps or marts; the rows of one mart it reads directly, in the order that the mart's header names.
* Views refer to each other by name, so the order in which they are created follows from their text and is written nowhere else.
* The macros over outcomes are made from `pipeline.outcome`, and three views from the reference data.
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from types import MappingProxyType

import duckdb
import pyarrow as pa

from pipeline import checkout, schema
from pipeline.views import country_names, outcome_macros, published_counts, release_dates

FOLDER = checkout.ANALYSIS
#: What the columns of the marts mean.
COLUMNS = FOLDER / "columns.toml"

#: View → other SQL that gives the same rows.
Replacements = Mapping[str, str]
NO_REPLACEMENTS: Replacements = MappingProxyType({})

#: The marts that hold aggregates only. A mart that is neither here nor below holds addresses and is never published.
PUBLISHED = (
    "totals", "funnel", "countries", "changes", "change_totals", "outcomes", "ports", "implementations", "products", "sectors",
    "network_kinds", "system_counts", "ae_control", "tls_share", "doubts", "country_databases", "suspicions", "rejections",
    "country_funnel", "companion_ports", "companion_kinds", "rates", "concentration", "stayers", "country_bounds", "as_published",
    "software_ages", "visibility",
)  # fmt: skip
#: Marts whose rows name a network's holder: a report shows only those that `publish.disclosure` lets pass.
NAMED = ("networks",)
#: Marts whose rows are about several sweeps; published too.
_OF_SYSTEMS = ("link_errors", "system_changes", "system_survival")
_OF_VANTAGES = ("vantages", "vantage_bounds", "loss", "country_loss", "harm_arms")
SERIES = ("trend", "country_trend", "recaptures", "cohorts", "returns", *_OF_SYSTEMS, *_OF_VANTAGES)
#: The views that have no file of SQL: they are made from the reference data.
OF_REFERENCE_DATA = {"country_names": country_names, "published_counts": published_counts, "releases": release_dates}


@dataclass(frozen=True, slots=True)
class Query:
    """One file of SQL: its name, its statement, and its header as one comment."""

    name: str
    sql: str
    comment: str

    @property
    def question(self) -> str:
        """The question that it answers."""
        return self._header("Question")

    @property
    def order(self) -> str:
        """The order of its rows in a report, as SQL; empty if its header names none."""
        return self._header("Order")

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that distinguish its rows, by its header; empty if it names none."""
        named = re.search(r"one row for each (?:\(([^)]*)\)|(sweep)\b)", self._header("Grain"))
        return tuple((named[1] or named[2]).split(", ")) if named else ()

    def _header(self, key: str) -> str:
        lines = (line for line in self.comment.splitlines() if line.startswith(f"{key}: "))
        return next(lines, "").removeprefix(f"{key}: ")


@cache
def definitions() -> tuple[Query, ...]:
    """Staging views and marts, each after those that it reads."""
    by_name, reads = _by_name(), _reads()
    names = TopologicalSorter({name: sorted(reads[name]) for name in sorted(reads)}).static_order()
    return tuple(by_name[name] for name in names)


@cache
def _by_name() -> dict[str, Query]:
    named = [Query(name, module.sql(), module.COMMENT) for name, module in OF_REFERENCE_DATA.items()]
    return {query.name: query for query in [*named, *_read("staging"), *_read("marts")]}


@cache
def _reads() -> dict[str, frozenset[str]]:
    """The views that each view reads."""
    by_name = _by_name()
    return {name: frozenset(_names_in(query.sql) & by_name.keys() - {name}) for name, query in by_name.items()}


def _names_in(sql: str) -> set[str]:
    """The relations that follow FROM or JOIN."""
    return set(re.findall(r"\b(?:FROM|JOIN)\s+(\w+)", sql))


def needed(names: Iterable[str], replacements: Replacements = NO_REPLACEMENTS) -> frozenset[str]:
    """These views and all that they are built on, or that their replacements read."""
    collected: set[str] = set()
    new = set(names)
    while new:
        collected |= new
        new = {read for name in new for read in _read_by(name, replacements)} - collected
    return frozenset(collected)


def _read_by(name: str, replacements: Replacements) -> frozenset[str]:
    return frozenset(_names_in(replacements[name]) & _by_name().keys()) if name in replacements else _reads()[name]


def tables_of(names: Iterable[str], replacements: Replacements = NO_REPLACEMENTS) -> frozenset[str]:
    """The tables of the lake that these views read, directly."""
    texts = (replacements.get(name, view(name).sql) for name in names)
    return frozenset(read.removeprefix("raw_") for sql in texts for read in _names_in(sql) if read.startswith("raw_"))


def view(name: str) -> Query:
    """A staging view or a mart."""
    return _by_name()[name]


def macros() -> list[str]:
    """The statements that create the functions which views and checks use, each after those that it calls."""
    files = {query.name: query for query in macro_files() if not reads_views(query)}
    return [*outcome_macros.statements(), *(each for name in _in_order(files) for each in _commented(files[name]))]


def questions() -> list[str]:
    """The questions with parameters, each after those that it calls."""
    files = {query.name: query for query in macro_files() if reads_views(query)}
    return [statement for name in _in_order(files) for statement in _commented(files[name])]


def _in_order(files: Mapping[str, Query]) -> Iterable[str]:
    """Macros by name, each after those that it calls."""
    return TopologicalSorter({name: sorted(_called(name, files)) for name in files}).static_order()


def _called(name: str, files: Mapping[str, Query]) -> set[str]:
    """Those of these macros that one of them calls."""
    return set(re.findall(r"\b(\w+)\(", files[name].sql)) & files.keys() - {name}


@cache
def macro_files() -> tuple[Query, ...]:
    """The macros of `macros/`, by name."""
    return tuple(_read("macros"))


def reads_views(macro: Query) -> bool:
    """Whether a macro is a question about the views of a lake, and not a function of its arguments alone."""
    return " AS TABLE" in macro.sql or bool(_names_in(macro.sql) & _by_name().keys())


def _commented(macro: Query) -> tuple[str, str]:
    """The statements that create a macro and explain it in the catalogue."""
    kind = "MACRO TABLE" if " AS TABLE" in macro.sql else "MACRO"
    return macro.sql, f"COMMENT ON {kind} {macro.name} IS {quoted(macro.comment)}"


@cache
def report(name: str) -> Query:
    """A query of a report, with the parameter `$sweep` (one also with `$before`): a file of `reports`, or the rows of a mart."""
    path = FOLDER / "reports" / f"{name}.sql"
    return parse(name, path.read_text("utf-8")) if path.exists() else _rows_of(view(name))


def _rows_of(mart: Query) -> Query:
    """The rows of one sweep in a mart, or those of a series up to a sweep, in the mart's order."""
    of_series = f"FROM {mart.name}\nWHERE sweep IN (FROM so_far($sweep))"
    sql = of_series if mart.name in SERIES else f"SELECT * EXCLUDE (sweep)\nFROM {mart.name}\nWHERE sweep = $sweep"
    return Query(mart.name, f"{sql}\nORDER BY {mart.order}", mart.comment)


def checks() -> list[tuple[str, str]]:
    """Queries that return rows only when something is wrong, as (name, sql)."""
    return [(query.name, query.sql) for query in _read("checks")]


def statements(replacements: Replacements = NO_REPLACEMENTS) -> Iterator[str]:
    """Everything that creates the macros and views over the raw tables, in order."""
    yield from macros()
    for query in definitions():
        yield create(query.name, replacements.get(query.name, query.sql))
        yield _comment(query)
    yield from questions()


def _comment(query: Query) -> str:
    return f"COMMENT ON VIEW {query.name} IS {quoted(query.comment)}"


def create(name: str, sql: str) -> str:
    """The statement that creates a view."""
    return f"CREATE OR REPLACE VIEW {name} AS\n{sql}"


def column_comments(con: duckdb.DuckDBPyConnection, names: Collection[str] = ()) -> Iterator[str]:
    """Comment each column of these views, or of all, with its meaning: from the schema where a view is a table's, else by its name."""
    for name, columns in _columns(con, names).items():
        meanings = _meanings() | _schema_meanings(name)
        yield from (
            f'COMMENT ON COLUMN {name}."{column}" IS {quoted(meanings[column])}'
            for column in columns
            if column in meanings
        )


def _columns(con: duckdb.DuckDBPyConnection, names: Collection[str]) -> dict[str, list[str]]:
    """View → its columns, in their order; of these views, or of all."""
    by_view: dict[str, list[str]] = {}
    sql = "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal ORDER BY table_name, column_index"
    for name, column in con.execute(sql).fetchall():
        if name in names if names else not name.startswith("raw_"):
            by_view.setdefault(name, []).append(column)
    return by_view


@cache
def _meanings() -> dict[str, str]:
    """The columns of the marts, by name."""
    return tomllib.loads(COLUMNS.read_text("utf-8"))


def meaning(column: str) -> str:
    """What a column of a mart means, by its name; empty if no mart has it."""
    return _meanings().get(column, "")


def _schema_meanings(name: str) -> dict[str, str]:
    """The columns of a table of the schema, with their units; none for another view."""
    if not (schema.FOLDER / f"{name}.toml").exists():
        return {}
    return {c.name: f"{c.meaning} <{c.unit}>" if c.unit else c.meaning for c in schema.table(name).columns}


def install(con: duckdb.DuckDBPyConnection) -> None:
    """Create all views in a connection that has the raw tables (raw_responses, raw_associations, ...)."""
    for statement in statements():
        con.execute(statement).fetchall()
    con.execute(";\n".join(column_comments(con))).fetchall()


def replace(con: duckdb.DuckDBPyConnection, replacements: Replacements) -> None:
    """Let views of a connection have other SQL that gives the same rows; their comments stay."""
    for name, sql in replacements.items():
        con.execute(create(name, sql)).fetchall()
    comments = [_comment(view(name)) for name in replacements]
    con.execute(";\n".join([*comments, *column_comments(con, replacements)])).fetchall()


def init_sql(replacements: Replacements = NO_REPLACEMENTS) -> str:
    """The same as text for `duckdb -init`, to follow statements that create the raw tables."""
    return "".join(f"{statement};\n\n" for statement in [*statements(replacements), *_comments_without_a_lake()])


@contextmanager
def without_a_lake() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with all views over empty tables: views have the same columns over any lake."""
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as con:
        for table in schema.tables():
            empty = pa.schema([pa.field("sweep", pa.string()), *table.arrow]).empty_table()
            con.register(f"raw_{table.name}", empty)
        for statement in statements():
            con.execute(statement).fetchall()
        yield con


def _comments_without_a_lake() -> list[str]:
    with without_a_lake() as con:
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
