"""What a report says, gathered from the marts once, with peers' strings safe to show. No address gets in here."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import duckdb

from pipeline.errors import InputError
from pipeline.publish.escape import visible
from pipeline.publish.queries import PUBLISHED
from pipeline.publish.withhold import WITHHELD, withhold

#: A country database older than this at the sweep's start is named in the headline.
FRESH_DAYS = 60

ORDER = {
    "totals": "sweep",
    "funnel": "position",
    "countries": "services DESC, country",
    "outcomes": "targets DESC, outcome",
    "implementations": "services DESC, toolkit, toolkit_version, product, product_version, class_uid_root, class_uid_hash",
    "products": "services DESC, implementation_version_name, implementation_class_uid",
    "suspicions": "services DESC, suspicion, country",
    "rejections": "services DESC, rj_result, rj_source, rj_reason",
}

#: Columns that a peer wrote, or that were cut out of what it wrote.
PEER_COLUMNS = frozenset(
    {
        "implementation_class_uid",
        "implementation_version_name",
        "class_uid_root",
        "toolkit_version",
        "product_version",
    }
)

#: Counts of the receipts that say how well the sweep went.
LOSSES = ("answers", "duplicates", "resets", "unreachable", "suppressed", "revisited", "ring_dropped", "stalls")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mart:
    """One published mart of one sweep: its columns in order, its rows, and the question it answers."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    question: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is published of a sweep."""

    sweep: str
    about: Row
    losses: Row
    marts: dict[str, Mart]
    country_source: str | None
    geo_built: date | None

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


def gather(con: duckdb.DuckDBPyConnection, sweep: str) -> Facts:
    """Read what is published of a sealed sweep. Raises InputError if there is no such sweep."""
    about = select(con, "SELECT * EXCLUDE (vantages), len(vantages) AS vantages FROM sweeps WHERE sweep = ?", sweep)
    if not about:
        raise InputError(f"sweep {visible(sweep)}", "is not sealed in this lake; `census status` lists what there is")
    sums = ", ".join(f"CAST(coalesce(sum({name}), 0) AS BIGINT) AS {name}" for name in LOSSES)
    sources = select(con, "SELECT DISTINCT country_source AS source FROM coverage WHERE sweep = ? ORDER BY 1", sweep)
    source = "; ".join(row["source"] for row in sources) or None
    return Facts(
        sweep=visible(sweep),
        about=about[0],
        losses=select(con, f"SELECT {sums} FROM receipts WHERE sweep = ?", sweep)[0],
        marts={name: _mart(con, name, sweep) for name in PUBLISHED},
        country_source=visible(source) if source else None,
        geo_built=_built(source or ""),
    )


def select(con: duckdb.DuckDBPyConnection, sql: str, *parameters: object) -> list[Row]:
    """All rows of a query, as dictionaries."""
    cursor = con.execute(sql, list(parameters))
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, map(_in_utc, row), strict=True)) for row in cursor.fetchall()]


def _in_utc(value: Any) -> Any:
    """Times in UTC, whatever zone the connection is set to."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _mart(con: duckdb.DuckDBPyConnection, name: str, sweep: str) -> Mart:
    query = f"SELECT * EXCLUDE (sweep) FROM {name} WHERE sweep = ? ORDER BY {ORDER[name]}"
    rows = select(con, query, sweep)
    columns = select(con, "SELECT column_name FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index", name)
    comment = select(con, "SELECT comment FROM duckdb_views() WHERE view_name = ?", name)[0]["comment"] or ""
    question = comment.partition("\n")[0].removeprefix("Question: ")
    names = tuple(row["column_name"] for row in columns if row["column_name"] != "sweep")
    return Mart(name, names, _folded([_safe(row) for row in rows]), question)


def _safe(row: Row) -> Row:
    """Peers' strings with nothing hidden in them, or withheld."""
    return {key: withhold(visible(value)) if key in PEER_COLUMNS and value else value for key, value in row.items()}


def _folded(rows: list[Row]) -> tuple[Row, ...]:
    """Rows that withholding made alike, as one with the sums of their counts (a country may be counted in several)."""
    withheld = [row for row in rows if WITHHELD in row.values()]
    sums: dict[tuple[Any, ...], Row] = {}
    for row in withheld:
        key = tuple(value for value in row.values() if not _is_count(value))
        sums[key] = _sum(sums[key], row) if key in sums else row
    return (*(row for row in rows if WITHHELD not in row.values()), *sums.values())


def _sum(one: Row, other: Row) -> Row:
    """Both rows' counts added; all else is the same in both."""
    return {key: value + other[key] if _is_count(value) else value for key, value in one.items()}


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _built(source: str) -> date | None:
    """The oldest build date that the sources name."""
    return min((date.fromisoformat(text) for text in re.findall(r"built (\d{4}-\d\d-\d\d)", source)), default=None)
