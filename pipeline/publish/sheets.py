"""Every table of a report as CSV: the published marts, and what was estimated from them."""

import csv
import io
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.publish import cells
from pipeline.publish.companion_findings import TOTAL
from pipeline.publish.countries import name
from pipeline.publish.data import Facts, Row
from pipeline.publish.escape import csv_cell
from pipeline.publish.estimates import COUNTS, CountryChange

CHANGED = (
    "country", *COUNTS, "new_by_loss", "gone_by_loss", "new_net", "new_low",
    "new_high", "gone_net", "gone_low", "gone_high", "turnover", "turnover_low", "turnover_high", "networks_changed", "in_one_network",
    "p_growth", "p_adjusted", "flag",
)  # fmt: skip


#: Marts of which the page omits rows, such as those without a service; a sheet has them, for their denominators.
WITH_EMPTY = (
    "changes", "countries", "country_databases", "network_kinds", "tls_share", "sectors", "doubts", "implementations", "products",
    "rates", "concentration", "stayers", "country_bounds", "as_published", "software_ages", "visibility",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of values by its name, with its columns in order."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[Row]

    @property
    def text(self) -> str:
        """The table as CSV; cells that a spreadsheet would run are made text."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([csv_cell(_rounded(row[column])) for column in self.columns] for row in self.rows)
        return stream.getvalue()


def labelled(facts: Facts, own: Collection[str] = ()) -> Iterator[Sheet]:
    """The tables that have a row, each row with its sweep, the day that the sweep began, and the name of its country.

    Of the tables in `own`, only the rows of the report's own sweep.
    """
    days = {row["sweep"]: row["started_at"] for row in facts.marts["trend"].rows} | {facts.sweep: facts.started}
    for sheet in sheets(facts):
        rows = [row for row in sheet.rows if sheet.name not in own or row["sweep"] == facts.sweep]
        if rows:
            columns = ["sweep", "date", *(column for column in sheet.columns if column not in ("sweep", "country"))]
            if "country" in sheet.columns:
                columns[2:2] = ["country", "country_name"]
            yield Sheet(sheet.name, tuple(columns), [_labelled(facts.sweep, row, days) for row in rows])


def _labelled(sweep: str, row: Row, days: Mapping[str, datetime]) -> Row:
    of = row.get("sweep", sweep)
    where = {"country_name": TOTAL if row.get("of_all") else name(row["country"])} if "country" in row else {}
    return {"sweep": of, "date": f"{days[of]:%Y-%m-%d}" if of in days else None} | row | where


def _rounded(value: Any) -> Any:
    """A fraction to four digits, a whole number without a point, a time as ISO 8601 has it; all else as it is."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if not isinstance(value, float) or not math.isfinite(value):
        return value
    digits = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
    short = round(value, digits)
    return int(short) if short.is_integer() else short


def sheets(facts: Facts) -> Iterator[Sheet]:
    """All tables: a mart has its own columns first, then the estimated ones."""
    for table, mart in facts.marts.items():
        lines = cells.rows(facts, table) if table in cells.DERIVED and table not in WITH_EMPTY else mart.rows
        if table == "countries":
            lines = [*cells.rows(facts, table), *_without_service(facts)]
        more = tuple(column for column in (lines[0] if lines else ()) if column not in mart.columns)
        yield Sheet(table, mart.columns + more, lines)
    yield Sheet("survival", ("sweep", "days", "stays", "stays_low", "stays_high"), cells.rows(facts, "survival"))
    yield Sheet("changed", CHANGED, [_changed(row) for row in facts.changes])


def _without_service(facts: Facts) -> list[Row]:
    """The countries without a service, with their denominators, and how many services may be there unseen."""
    rows = [row for row in facts.marts["countries"].rows if not row["services"]]
    return [
        row | {"undoubted": 0} | cells.reachable(estimate) | dict.fromkeys(("rank", "came", "went", "change"))
        for row, estimate in zip(rows, facts.estimates(rows), strict=True)
    ]


def _changed(row: CountryChange) -> Row:
    counts = {name: getattr(row, name) for name in ("country", *COUNTS, "networks_changed", "in_one_network", "flag")}
    ends = {
        f"{noun}_{part}": getattr(estimate, "value" if part == "net" else part)
        for noun, estimate in (("new", row.new), ("gone", row.gone))
        for part in ("net", "low", "high")
    }
    turnover = {"turnover": row.turnover.value, "turnover_low": row.turnover.low, "turnover_high": row.turnover.high}
    new, gone = row.by_loss
    by_loss = {"new_by_loss": new, "gone_by_loss": gone}
    tests = {"p_growth": row.p_growth, "p_adjusted": row.p_adjusted}
    return {key: _known(value) for key, value in (counts | ends | turnover | by_loss | tests).items()}


def _known(value: Any) -> Any:
    """A value, or null for an estimate that the data do not allow."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
