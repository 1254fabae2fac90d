"""The scope of a report: the whole sweep or one country, what it is compared with, and the smallest cell that is published."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime

import duckdb

from pipeline.enrich.country_code import MISTAKEN
from pipeline.errors import InputError
from pipeline.publish.countries import countries
from pipeline.untrusted.visible import visible
from pipeline.views import views
from pipeline.views.marts import BUILT
from pipeline.views.views import quoted

#: Views that the edition of a country restricts to the country; marts are made of them.
RESTRICTED = ("responses", "associations", "tls", "exposed_2026_11")
#: Views in which a service has one country in all sweeps, made of all countries' services (UNRESTRICTED), and the one that says which.
IN_ONE_COUNTRY = ("services_seen", "service_steps", "newest_places", "placements")
PLACED = "placements"
UNRESTRICTED = ("associations", "exposed_2026_11")
#: What the SQL of a built mart has, and that of no other.
READS_FILES = "read_parquet"
#: Cells of a country with fewer services than this are merged before they are published.
MIN_CELL = 5


@dataclass(frozen=True, slots=True)
class Scope:
    """What to report: a country by its ISO 3166-1 alpha-2 code, the sweep or date to compare with, the smallest cell."""

    country: str | None = None
    since: str | None = None
    min_cell: int = MIN_CELL

    def __post_init__(self) -> None:
        if self.country is not None and self.country not in countries():
            known = MISTAKEN.get(self.country, "GB")
            raise InputError(
                "--country", f"{visible(self.country)} is not a country code (ISO 3166-1); write e.g. {known}"
            )
        if self.min_cell < 1:
            raise InputError("--min-cell", f"{self.min_cell} is too small; use 1 to merge nothing, or more")


@contextmanager
def restricted(con: duckdb.DuckDBPyConnection, country: str | None) -> Iterator[None]:
    """Restrict every mart to one country; `coverage` and `sweeps` keep all countries. Nothing changes without a country.

    Built marts hold all countries, so they are computed again from the restricted views. The views change in a transaction, which is
    undone at the end: then they are as before.
    """
    if country is None:
        yield
        return
    changed = (*RESTRICTED, *BUILT, *IN_ONE_COUNTRY)
    sql = "SELECT view_name, sql FROM duckdb_views() WHERE NOT internal"
    before = {name: _select(statement) for name, statement in con.execute(sql).fetchall() if name in changed}
    names = [query.name for query in views.definitions() if query.name in before]
    con.begin()
    try:
        for name in names:
            if sql := _restricted(name, before, country):
                con.execute(f"CREATE OR REPLACE VIEW {name} AS\n{sql}").fetchall()
        yield
    finally:
        con.rollback()


def _restricted(name: str, before: Mapping[str, str], country: str) -> str:
    """The SQL of a view restricted to a country; empty if it reads restricted views already."""
    condition = f"WHERE country = {quoted(country)}"
    if name in RESTRICTED:
        return f"FROM ({before[name]}) {condition}"
    if name in IN_ONE_COUNTRY:
        of_all = ", ".join(f"{of} AS ({before[of]})" for of in UNRESTRICTED)
        rows = f"WITH {of_all}\nFROM ({before[name]})"
        return f"{rows} {condition}" if name == PLACED else rows
    return views.view(name).sql if READS_FILES in before[name] else ""


def _select(statement: str) -> str:
    """The query of a view, from its statement in the catalogue."""
    return statement.partition(" AS ")[2].strip().rstrip(";")


def base(con: duckdb.DuckDBPyConnection, sweep: str, since: str | None) -> str | None:
    """The sweep to compare with: the previous one of its series, the one that `since` names, or the first one from that date on.

    None if the series has no earlier sweep. Raises InputError if `since` names no sweep that can be compared.
    """
    earlier = con.execute(views.report("earlier").sql, {"sweep": sweep}).fetchall()
    if since is None:
        return earlier[-1][0] if earlier else None
    first_day = _date(since)
    for name, started in earlier:
        if name == since or (first_day and started >= first_day):
            return str(name)
    comparable = ", ".join(visible(name) for name, _ in earlier) or "none"
    raise InputError(
        "--since",
        f"{visible(since)} is not comparable with {visible(sweep)}; name an earlier sweep of its series (same name, "
        f"method and vantages, all addresses visited), or a date up to the last one's: {comparable}",
    )


def _date(text: str) -> datetime | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
