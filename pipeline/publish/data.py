"""What a report says, gathered from the marts once, with peers' strings safe to show. No address gets in here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

import duckdb

from pipeline.errors import InputError
from pipeline.publish import estimates as conclusions
from pipeline.publish.disclosure import RARE, WITHHELD, networks, rare_name, small_cells, withhold
from pipeline.publish.edition import Edition, base, narrowed
from pipeline.publish.escape import LONGEST, shown, visible
from pipeline.publish.estimates import Changed, Estimate, Seen, Step
from pipeline.views import views
from pipeline.views.views import NAMED, PUBLISHED, SERIES

#: What a database says of itself is shown up to here, in characters; there may be several.
LONG_SOURCE = 2048
#: A country database older than this at the sweep's start is named in the headline.
FRESH_DAYS = 60

#: Columns in which a peer may name itself.
OWN_WORDS = ("implementation_class_uid", "implementation_version_name")
#: Columns that, crossed with the country, make cells which may be too small to publish.
CROSSED = {
    "ports": ("port",),
    "sectors": ("sector", "confidence"),
    "network_kinds": ("network_kind", "confidence"),
    "suspicions": ("suspicion",),
}

#: Marts that a country's edition takes its row of; all else is narrowed to the country before it is counted.
WHOLE = ("countries", "country_databases", "changes")

#: Columns that a peer wrote, or that were cut out of what it wrote; and what networks call themselves.
PEER_COLUMNS = frozenset(
    {
        "implementation_class_uid",
        "implementation_version_name",
        "class_uid_root",
        "toolkit_version",
        "product_version",
        "organisation",
    }
)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mart:
    """One published mart of one sweep: its columns in order, its rows, and the question it answers."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    question: str


@dataclass(frozen=True, slots=True)
class Compared:
    """An earlier sweep of the series, and what changed since, one row a country."""

    sweep: str
    started: datetime
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Facts:
    """All that is published of a sweep."""

    sweep: str
    about: Row
    losses: Row
    marts: dict[str, Mart]
    country_source: str | None
    geo_built: date | None
    second_source: str | None = None
    edition: Edition = field(default_factory=Edition)
    compared: Compared | None = None
    fates: tuple[Row, ...] = ()

    @property
    def country(self) -> str | None:
        """The country that the edition is of."""
        return self.edition.country

    @property
    def series(self) -> list[Row]:
        """The sweeps of this one's series up to it, oldest first; this one alone if it may be compared with none."""
        return [row for row in self.marts["trend"].rows if row["started_at"] <= self.started]

    @cached_property
    def seen(self) -> Seen | None:
        """How likely this sweep saw a service that was there."""
        return self.seen_by(self.sweep)

    def seen_by(self, sweep: str) -> Seen | None:
        """How likely a sweep of the series saw a service that was there."""
        return conclusions.seen(self._looks(sweep))

    def _looks(self, sweep: str) -> conclusions.Looks | None:
        return conclusions.looks(sweep, self.marts["loss"].rows, self.marts["vantages"].rows)

    @cached_property
    def changes(self) -> list[Changed]:
        """What changed since the sweep that is compared with: all together first, then each country."""
        if self.compared is None:
            return []
        return conclusions.changes(self.compared.rows, self.seen_by(self.compared.sweep), self.seen)

    @cached_property
    def survival(self) -> list[Step]:
        """How many of the services stay from sweep to sweep."""
        return conclusions.survival(self.marts["recaptures"].rows)

    @cached_property
    def trend(self) -> list[Estimate]:
        """What the counts of the series' sweeps stand for; those of a series are complete."""
        return conclusions.trend(
            [row["services"] for row in self.series], [self._looks(row["sweep"]) for row in self.series]
        )

    def estimates(self, counts: Sequence[int]) -> list[Estimate]:
        """What the counts of this sweep stand for, sample and loss considered."""
        return conclusions.estimates(counts, self.about["sampled_share"], self.seen)

    @property
    def totals(self) -> Row:
        """The one row of `totals`."""
        return self.marts["totals"].rows[0]

    @property
    def started(self) -> datetime:
        """When the first range began to send."""
        started: datetime = self.about["started_at"]
        return started

    @property
    def sampled(self) -> bool:
        """Whether the sweep visited a sample of its target space."""
        return bool(self.about["sampled_addresses"] < self.about["addresses"])

    @property
    def geo_age(self) -> int | None:
        """Days from the build of the country database to the sweep's start."""
        return (self.started.date() - self.geo_built).days if self.geo_built else None

    @property
    def geo_stale(self) -> bool:
        """Whether the country database was too old, so that the headline must say so."""
        return self.geo_age is not None and self.geo_age > FRESH_DAYS

    @property
    def rate(self) -> float | None:
        """Probes a second, from the first range's start to the last one's end."""
        seconds = (self.about["finished_at"] - self.started).total_seconds()
        return self.about["probes_sent"] / seconds if seconds > 0 else None


def gather(con: duckdb.DuckDBPyConnection, sweep: str, edition: Edition | None = None) -> Facts:
    """Read what is published of a sealed sweep. Raises InputError if there is no such sweep, or none to compare with."""
    edition = edition or Edition()
    about = asked(con, "about", sweep=sweep)
    if not about:
        raise InputError(
            f"sweep {visible(sweep)}", "is not sealed in this lake; `census status LAKE --all` lists the sweeps"
        )
    sources = asked(con, "country_sources", sweep=sweep)
    source = "; ".join(dict.fromkeys(row["country_source"] for row in sources if row["country_source"])) or None
    second = next((row["second_source"] for row in sources if row["second_source"]), "")
    compared = _compared(con, sweep, edition)
    placed = {name: _mart(con, name, sweep, edition) for name in WHOLE}
    with narrowed(con, edition.country):
        marts = {name: placed.get(name) or _mart(con, name, sweep, edition) for name in (*PUBLISHED, *NAMED, *SERIES)}
    return Facts(
        sweep=visible(sweep),
        about=_safe(about[0]),
        losses=asked(con, "losses", sweep=sweep)[0],
        marts=_of_country(marts, edition.country) if edition.country else marts,
        country_source=shown(source, LONG_SOURCE) if source else None,
        geo_built=_built(source or ""),
        second_source=shown(second, LONG_SOURCE) or None,
        edition=edition,
        compared=compared,
        fates=tuple(asked(con, "change_history", sweep=sweep)),
    )


def _compared(con: duckdb.DuckDBPyConnection, sweep: str, edition: Edition) -> Compared | None:
    before = base(con, sweep, edition.since)
    if before is None:
        return None
    rows = asked(con, "compared", before=before, sweep=sweep)
    (started,) = select(con, "SELECT started_at FROM sweeps WHERE sweep = ?", before)
    kept = [row for row in rows if not edition.country or row["country"] == edition.country]
    return Compared(visible(before), started["started_at"], tuple(kept))


def _of_country(marts: dict[str, Mart], country: str) -> dict[str, Mart]:
    """A country's edition: totals and funnel with its own denominators, and no other country's rows."""
    own = {
        name: replace(mart, rows=tuple(row for row in mart.rows if row["country"] == country))
        for name, mart in marts.items()
        if "country" in mart.columns
    }
    (whole,) = marts["totals"].rows
    nothing = {column: None if value is None else 0 for column, value in whole.items() if column != "countries"}
    counted = own["countries"].rows[0] if own["countries"].rows else nothing
    totals = (whole | {column: counted[column] for column in nothing},)
    steps = tuple(
        {"position": row["position"], "step": row["step"], "targets": row["targets"], "targets_estimated": None}
        for row in own["country_funnel"].rows
    )
    fates = tuple(
        row | {key: sum(r[key] for r in own["changes"].rows) for key in row if key in own["changes"].columns}
        for row in marts["change_totals"].rows
    )
    changed = {"totals": totals, "funnel": steps, "change_totals": fates}
    return marts | own | {name: replace(marts[name], rows=rows) for name, rows in changed.items()}


def asked(con: duckdb.DuckDBPyConnection, report: str, **parameters: str) -> list[Row]:
    """The rows of a query of `analysis/reports`."""
    return _rows(con.execute(views.report(report).sql, parameters))


def select(con: duckdb.DuckDBPyConnection, sql: str, *parameters: object) -> list[Row]:
    """All rows of a query, as dictionaries."""
    return _rows(con.execute(sql, list(parameters)))


def _rows(cursor: duckdb.DuckDBPyConnection) -> list[Row]:
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, map(_in_utc, row), strict=True)) for row in cursor.fetchall()]


def _in_utc(value: Any) -> Any:
    """Times in UTC, whatever zone the connection is set to."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _mart(con: duckdb.DuckDBPyConnection, name: str, sweep: str, edition: Edition) -> Mart:
    rows = asked(con, name, sweep=sweep)
    names = tuple(column for column in _columns(con, name) if name in SERIES or column != "sweep")
    if name in CROSSED:
        rows = small_cells(rows, CROSSED[name], edition.least)
        rows.sort(key=lambda row: -row["services"])
    if name == "networks":
        rows = sorted(networks(rows, edition.least), key=lambda row: -row["services"])
    if name == "products":
        rows = [rare_name(row, OWN_WORDS, edition.least) for row in rows]
    return Mart(name, names, _folded([_safe(row) for row in rows]), views.view(name).question)


def _columns(con: duckdb.DuckDBPyConnection, name: str) -> tuple[str, ...]:
    asked = "SELECT column_name FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index"
    return tuple(row["column_name"] for row in select(con, asked, name))


def _safe(row: Row) -> Row:
    """Texts with nothing hidden in them and bounded; those of peers withheld where they name somebody."""
    return {key: _text(key, value) if isinstance(value, str) else value for key, value in row.items()}


def _text(column: str, value: str) -> str:
    # Twice what is shown is looked at, so that a name which is cut is still found.
    named = column in PEER_COLUMNS and withhold(visible(value[: 2 * LONGEST])) == WITHHELD
    return WITHHELD if named else shown(value)


def _folded(rows: list[Row]) -> tuple[Row, ...]:
    """Rows that withholding made alike, as one with the sums of their counts (a country may be counted in several)."""
    withheld = [row for row in rows if {WITHHELD, RARE} & set(map(str, row.values()))]
    sums: dict[tuple[Any, ...], Row] = {}
    for row in withheld:
        key = tuple(value for value in row.values() if not _is_count(value))
        sums[key] = _sum(sums[key], row) if key in sums else row
    return (*(row for row in rows if row not in withheld), *sums.values())


def _sum(one: Row, other: Row) -> Row:
    """Both rows' counts added; all else is the same in both."""
    return {key: value + other[key] if _is_count(value) else value for key, value in one.items()}


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _built(source: str) -> date | None:
    """The oldest build date that the sources name."""
    return min((date.fromisoformat(text) for text in re.findall(r"built (\d{4}-\d\d-\d\d)", source)), default=None)
