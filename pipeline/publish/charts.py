"""The charts of a sweep, for a report and a site: maps, rankings, how services answered, ports, and numbers over time."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from pipeline.publish import bars, cells, land, lines, turnover, worldmap
from pipeline.publish.bars import Bar
from pipeline.publish.chart import Chart
from pipeline.publish.countries import countries, in_sentence, name
from pipeline.publish.data import Facts, Row
from pipeline.publish.drawing import NARROW, WIDE, Size
from pipeline.publish.gather import of_country
from pipeline.publish.turnover import LEGEND, Turnover
from pipeline.publish.wording import number

#: The most bars of a chart.
MOST_BARS = 15
#: How many countries get a trend each: those with the most services.
TRENDS = 4
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
        legend=tuple(land.legend(measure, measure.file)),
    )


def ranking(facts: Facts) -> Iterator[Chart]:
    """The countries with the most services, and that of a country's edition among them; nothing without any."""
    rows: list[Row] = [row | {"name": name(row["country"])} for row in facts.ranked]
    if not rows:
        return
    top = rows[:MOST_BARS]
    own = [row for row in rows[MOST_BARS:] if row["country"] == facts.country]
    more = f" The {MOST_BARS} with the most, of {number(len(rows))}." if len(rows) > MOST_BARS else ""
    shown = [
        Bar(f"{row['rank']}. {row['name']}", row["services"], bool(facts.country) and row["country"] != facts.country)
        for row in [*top, *own]
    ]
    place = f"{in_sentence(facts.country)} among the countries" if facts.country else "Countries"
    yield _bars(
        "ranking", f"{place[:1].upper()}{place[1:]} by number of DICOM services",
        f"Services that answered, likely decoys included, by country.{more}", shown,
        (("rank", "country", "name", "services", "addresses", "addresses_probed", "per_million"), rows),
    )  # fmt: skip


def answers(facts: Facts) -> Iterator[Chart]:
    """How services answered an unknown client; nothing where that is too few to be shown."""
    totals = facts.totals
    labels = {"accepting": "Accepted", "rejected": "Rejected", "aborted": "Aborted"}
    rows: list[Row] = [{"answer": label, "services": totals[column]} for column, label in labels.items()]
    if totals["services"] and all(row["services"] is not None for row in rows):
        yield _bars(
            "answers", f"How DICOM services{_where(facts)} answered an unknown client",
            "Whether images could be read was not tried; acceptance does not show it.",
            [Bar(row["answer"], row["services"]) for row in rows], (("answer", "services"), rows),
        )  # fmt: skip


def ports(facts: Facts) -> Iterator[Chart]:
    """The ports of a country's services; nothing for all countries together, whose ports are merged by country."""
    rows = [row for row in facts.marts["ports"].rows if row["services"]] if facts.country else []
    if len(rows) > 1:
        yield _bars(
            "ports", f"Ports of the DICOM services{_where(facts)}", "Services that answered on each port that was probed.",
            [Bar(str(row["port"]), row["services"]) for row in rows], (("port", "services"), rows),
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
    points = [lines.estimated(row["started_at"], row["services"], *_ends(row)) for row in rows]
    note = "Services that answered. Packet loss was not estimated, so at least that many were reachable."
    if any(point.low is not None for point in points):
        note = "Line: services that answered. Band: 95 % interval of the number reachable from here, corrected for short losses."
        note += (
            " Hollow points: loss was not estimated, so at least that many."
            if any(point.open for point in points)
            else ""
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


def country_trends(facts: Facts) -> Iterator[Chart]:
    """The number of services over time in each of the countries with the most, drawn small."""
    # A foreign database may hold any text as a country: no file is named after it.
    known = [row for row in facts.ranked if row["country"] in countries()]
    for row in known[:TRENDS]:
        for _, chart in trends(of_country(facts, row["country"]))[:1]:
            yield replace(chart, name=f"trend-{row['country']}", sizes=(NARROW,))


def changes(facts: Facts) -> Iterator[Chart]:
    """New and missing services of each sweep; nothing without a sweep to compare with, nor of one country."""
    started = {row["sweep"]: row["started_at"] for row in facts.series}
    rows = [row | {"started_at": started[row["sweep"]]} for row in facts.history if row["sweep"] in started]
    pairs = [Turnover(row["started_at"], row["new"] + row["returned"], row["missing"]) for row in rows]
    if pairs and not facts.country:
        counts = (f"{pair.at:%Y-%m-%d}: {pair.came} new or returned, {pair.went} missing" for pair in pairs)
        yield Chart(
            "turnover", "New and missing DICOM services, per sweep",
            "Compared with the previous sweep. Packet loss causes some of both, and so do systems that get another address.",
            "; ".join(counts), ("sweep", "started_at", "new", "returned", "missing"), rows,
            lambda size: turnover.draw(pairs, size, SERVICES), legend=LEGEND,
        )  # fmt: skip


def _ends(row: Row) -> tuple[float, float]:
    return row["there_low"], row["there_high"]


def _where(facts: Facts) -> str:
    return f" in {in_sentence(facts.country)}" if facts.country else ""
