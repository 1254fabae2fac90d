"""Editions of a report: of one country, since an earlier sweep, with small cells withheld."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime

import duckdb

from pipeline.errors import InputError
from pipeline.publish.countries import countries
from pipeline.publish.escape import visible
from pipeline.views import views
from pipeline.views.marts import BUILT
from pipeline.views.views import quoted

#: Views that a country's edition narrows to the country; marts are made of them.
PLACED = ("responses", "associations", "tls", "exposed_2026_11")
#: Fewer services than these, crossed with a country, are not published apart.
LEAST = 5


@dataclass(frozen=True, slots=True)
class Edition:
    """What to report: a country by its ISO 3166-1 alpha-2 code, the sweep or date to compare with, the least cell."""

    country: str | None = None
    since: str | None = None
    least: int = LEAST

    def __post_init__(self) -> None:
        if self.country is not None and self.country not in countries():
            raise InputError("--country", f"{visible(self.country)} is not a country code (ISO 3166-1, e.g. GB)")
        if self.least < 1:
            raise InputError("--least", f"{self.least} must be at least 1, which withholds nothing")


@contextmanager
def narrowed(con: duckdb.DuckDBPyConnection, country: str | None) -> Iterator[None]:
    """Let every mart speak of one country alone; `coverage` and `sweeps` keep the whole. Built marts are narrowed where
    they hold the country, and asked of the facts again where they do not.
    """
    definitions = {query.name: query.sql for query in views.definitions()} if country else {}
    asked = "SELECT view_name, sql FROM duckdb_views() WHERE NOT internal"
    before = {name: sql for name, sql in con.execute(asked).fetchall() if name in definitions}
    where = f"WHERE country = {quoted(country or '')}"
    try:
        for name, sql in definitions.items():
            if name in PLACED:
                con.execute(f"CREATE OR REPLACE VIEW {name} AS FROM ({_query(before[name])}) {where}").fetchall()
            elif name in BUILT:
                con.execute(f"CREATE OR REPLACE VIEW {name} AS\n{sql}").fetchall()
        yield
    finally:
        for name in before:
            if name in PLACED or name in BUILT:
                con.execute(f"CREATE OR REPLACE VIEW {name} AS {_query(before[name])}").fetchall()
                con.execute(f"COMMENT ON VIEW {name} IS {quoted(views.view(name).comment)}").fetchall()


def _query(statement: str) -> str:
    """What a view selects, from the statement that the catalogue has of it."""
    return statement.partition(" AS ")[2].strip().rstrip(";")


def base(con: duckdb.DuckDBPyConnection, sweep: str, since: str | None) -> str | None:
    """The sweep to compare with: the one before it in its series, or that of `since`, an id or a date (the first one from
    then on). None if the series has none before. Raises InputError where `since` names none that may be compared.
    """
    earlier = con.execute(views.report("earlier").sql, {"sweep": sweep}).fetchall()
    if since is None:
        return earlier[-1][0] if earlier else None
    from_then_on = _date(since)
    for name, started in earlier:
        if name == since or (from_then_on and started >= from_then_on):
            return str(name)
    told = ", ".join(visible(name) for name, _ in earlier) or "none"
    raise InputError(
        "--since",
        f"{visible(since)} is not a sweep that may be compared with {visible(sweep)}; name one of its series (same name, "
        f"method and vantages, all addresses visited) or a date before its last: {told}",
    )


def _date(text: str) -> datetime | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
