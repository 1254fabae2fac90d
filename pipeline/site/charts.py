"""Which charts a site draws of the data of a sweep: maps, rankings, how services answered, and numbers over time."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pipeline.publish import cells, worldmap
from pipeline.publish.countries import in_sentence, name
from pipeline.publish.data import Facts, Row
from pipeline.publish.figures import interval
from pipeline.publish.plot import Point
from pipeline.publish.wording import number
from pipeline.site import bars, land, lines
from pipeline.site.bars import Bar
from pipeline.site.chart import Chart
from pipeline.site.drawing import NARROW, WIDE, Size

#: The most bars of a chart.
MOST_BARS = 15
#: How wide a map is drawn, in pixels.
MAP = 1100
SERVICES = "DICOM services"


@dataclass(frozen=True, slots=True)
class Span:
    """A choice of how far back a chart goes: its name in files, its label, and its days; None for all."""

    name: str
    label: str
    days: int | None


SPANS = (Span("all", "All sweeps", None), Span("5-years", "Last 5 years", 1827), Span("1-year", "Last year", 366))


def maps(facts: Facts) -> list[Chart]:
    """The world maps: services, and addresses with a service per million probed."""
    rows = facts.marts["countries"].rows
    return [_map(rows, measure) for measure in worldmap.MEASURES]


def _map(rows: Sequence[Row], measure: worldmap.Measure) -> Chart:
    shown = [row | {"name": name(row["country"])} for row in rows if row["country"]]
    return Chart(
        name=measure.file,
        title=f"{measure.title}, by country",
        subtitle=measure.note,
        spoken=worldmap.spoken(rows, measure),
        columns=("country", "name", "services", "addresses", "addresses_probed", "per_million"),
        rows=shown,
        draw=lambda size: land.draw(rows, measure, size, measure.file),
        sizes=(land.proportions(MAP),),
        legend=tuple(measure.legend),
        key=land.legend(measure, Size(0, 0, 19), measure.file),
    )


def ranking(facts: Facts) -> Iterator[Chart]:
    """The countries with the most services; nothing without any."""
    rows = [row for row in facts.marts["countries"].rows if row["services"] and row["country"]]
    if rows:
        shown = [row | {"rank": place, "name": name(row["country"])} for place, row in enumerate(rows, 1)]
        more = f" The {MOST_BARS} with the most, of {number(len(rows))}." if len(rows) > MOST_BARS else ""
        yield _bars(
            "ranking", "Countries by number of DICOM services", f"Services that answered, by country.{more}",
            [Bar(row["name"], row["services"]) for row in shown[:MOST_BARS]],
            (("rank", "country", "name", "services", "addresses", "addresses_probed", "per_million"), shown),
        )  # fmt: skip


def answers(facts: Facts) -> Iterator[Chart]:
    """How services answered an unknown client; nothing where that is too few to be shown."""
    totals = facts.totals
    labels = {"accepting": "Accepted the association", "rejected": "Rejected it", "aborted": "Aborted it"}
    rows: list[Row] = [{"answer": label, "services": totals[column]} for column, label in labels.items()]
    if totals["services"] and all(row["services"] is not None for row in rows):
        yield _bars(
            "answers", f"How DICOM services{_where(facts)} answered an unknown client",
            "Whether images could be read was not tried; acceptance does not show it.",
            [Bar(row["answer"], row["services"]) for row in rows], (("answer", "services"), rows),
        )  # fmt: skip


def products(facts: Facts) -> Iterator[Chart]:
    """The products and toolkits that services declare, as far as a rule knows them."""
    counted: Counter[str] = Counter()
    for row in facts.marts["implementations"].rows:
        if row["grade"] is not None and (label := row["product"] or row["toolkit"]):
            counted[label] += row["services"]
    rows: list[Row] = [{"product": label, "services": count} for label, count in counted.most_common()]
    if rows:
        yield _bars(
            "declared", "Products and toolkits that DICOM services declare",
            "What services say of themselves, where a rule knows it. Claims, not facts.",
            [Bar(row["product"], row["services"]) for row in rows[:MOST_BARS]], (("product", "services"), rows),
        )  # fmt: skip


def _bars(
    name: str, title: str, subtitle: str, shown: Sequence[Bar], data: tuple[tuple[str, ...], Sequence[Row]]
) -> Chart:
    sizes = tuple(Size(size.width, bars.height(shown, size.letters), size.letters) for size in (WIDE, NARROW))
    return Chart(
        name=name, title=title, subtitle=subtitle, columns=data[0], rows=data[1], sizes=sizes,
        spoken="; ".join(f"{bar.name}: {number(bar.value)}" for bar in shown),
        draw=lambda size: bars.draw(shown, size, SERVICES),
    )  # fmt: skip


def trends(facts: Facts) -> list[tuple[Span, Chart]]:
    """The number of services over time, for each span that leaves something out; none without a sweep to compare with."""
    rows = [row | cells.reachable(estimate) for row, estimate in zip(facts.series, facts.trend, strict=True)]
    if len(rows) < 2:
        return []
    whole = (facts.started - rows[0]["started_at"]).days
    spans = [span for span in SPANS if span.days is None or span.days < whole]
    cut = [
        (span, [row for row in rows if span.days is None or facts.started - row["started_at"] <= timedelta(span.days)])
        for span in spans
    ]
    return [(span, _trend(facts, span, part)) for span, part in cut if len(part) > 1]


def _trend(facts: Facts, span: Span, rows: Sequence[Row]) -> Chart:
    points = [Point(row["started_at"], row["services"], **interval(*_ends(row))) for row in rows]
    known = any(point.low is not None for point in points)
    note = (
        "Line: services that answered. Band: 95 % interval of the number that was reachable from here, corrected for short losses."
        if known
        else "Services that answered. Packet loss was not estimated, so at least that many were reachable."
    )
    data = [
        {
            "sweep": row["sweep"], "started_at": row["started_at"], "services": row["services"],
            **{key: row[key] if math.isfinite(row[key]) else None for key in ("there", "there_low", "there_high")},
        }
        for row in rows
    ]  # fmt: skip
    first, last = (f"{number(row['services'])} on {row['started_at']:%Y-%m-%d}" for row in (rows[0], rows[-1]))
    return Chart(
        name="trend" if span.days is None else f"trend-{span.name}",
        title=f"DICOM services that answered{_where(facts)}, per sweep",
        subtitle=note,
        spoken=f"From {first} to {last}, in {len(rows)} sweeps. "
        + "; ".join(map(lines.spoken, points[-lines.POINTS :])),
        columns=("sweep", "started_at", "services", "there", "there_low", "there_high"),
        rows=data,
        draw=lambda size: lines.draw(points, size, SERVICES),
    )


def _ends(row: Row) -> tuple[float, float]:
    return row["there_low"], row["there_high"]


def _where(facts: Facts) -> str:
    return f" in {in_sentence(facts.country)}" if facts.country else ""
