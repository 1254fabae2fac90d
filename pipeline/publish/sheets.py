"""Every table of a report as CSV: the published marts, and what was estimated from them."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.publish import cells
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
    "countries", "country_databases", "network_kinds", "tls_share", "sectors", "doubts", "implementations", "products",
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
        writer.writerows([csv_cell(row[column]) for column in self.columns] for row in self.rows)
        return stream.getvalue()


def sheets(facts: Facts) -> Iterator[Sheet]:
    """All tables: a mart has its own columns first, then the estimated ones."""
    for name, mart in facts.marts.items():
        lines = cells.rows(facts, name) if name in cells.DERIVED and name not in WITH_EMPTY else mart.rows
        if name == "countries":
            lines = [*cells.rows(facts, name), *_without_service(facts)]
        more = tuple(column for column in (lines[0] if lines else ()) if column not in mart.columns)
        yield Sheet(name, mart.columns + more, lines)
    yield Sheet("survival", ("sweep", "days", "stays", "stays_low", "stays_high"), cells.rows(facts, "survival"))
    yield Sheet("changed", CHANGED, [_changed(row) for row in facts.changes])


def _without_service(facts: Facts) -> list[Row]:
    """The countries without a service, with their denominators, and how many services may be there unseen."""
    rows = [row for row in facts.marts["countries"].rows if not row["services"]]
    return [
        row | cells.reachable(estimate) | dict.fromkeys(("came", "went", "change"))
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
