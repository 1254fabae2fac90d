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
from pipeline.publish.estimates import Estimate
from pipeline.publish.gather import of_country
from pipeline.publish.turnover import LEGEND, Turnover
from pipeline.publish.undoubted import WITHHELD, both, leading, undoubted
from pipeline.publish.wording import number

#: The most bars of a chart.
MOST_BARS = 15
#: How many countries get a trend each: those with the most services.
TRENDS = 4
#: How wide a map is drawn, in pixels.
MAP = 1100
SERVICES = "DICOM services"
#: The data behind maps and ranks.
COUNTED = (
    "country", "name", "undoubted", "services", "addresses_undoubted", "addresses", "addresses_probed", "per_million_undoubted",
    "per_million",
)  # fmt: skip
#: The data behind a trend.
ESTIMATED = ("undoubted_there", "undoubted_low", "undoubted_high", "there", "there_low", "there_high")
TREND = ("sweep", "started_at", "undoubted", "services", *ESTIMATED)


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
    shown = [row | {"name": name(row["country"]), "undoubted": undoubted(row)} for row in rows if row["country"]]
    return Chart(
        name=measure.file,
        title=f"{measure.title}, by country",
        subtitle=measure.note,
        spoken=worldmap.spoken(rows, measure),
        columns=COUNTED,
        rows=shown,
        draw=lambda size: land.draw(rows, measure, size, measure.file),
        sizes=(land.proportions(MAP),),
        legend=tuple(land.legend(measure, measure.file)),
    )


def ranking(facts: Facts) -> Iterator[Chart]:
    """The countries with the most services, and that of a country's edition among them; nothing without any."""
    rows: list[Row] = [row | {"name": name(row["country"]), "undoubted": undoubted(row)} for row in facts.ranked]
    if not rows:
        return
    top = rows[:MOST_BARS]
    own = [row for row in rows[MOST_BARS:] if row["country"] == facts.country]
    more = f" The {MOST_BARS} with the most, of {number(len(rows))}." if len(rows) > MOST_BARS else ""
    shown = [
        Bar(
            f"{row['rank']}. {row['name']}", leading(row), bool(facts.country) and row["country"] != facts.country,
            row["services"], both(row),
        )
        for row in [*top, *own]
    ]  # fmt: skip
    place = f"{in_sentence(facts.country)} among the countries" if facts.country else "Countries"
    yield _bars(
        "ranking", f"{place[:1].upper()}{place[1:]} by number of DICOM services",
        f"Without likely decoys; pale ends, and numbers in brackets, are with them. {WITHHELD}{more}", shown,
        (("rank", *COUNTED), rows),
    )  # fmt: skip


def answers(facts: Facts) -> Iterator[Chart]:
    """How services answered an unknown client; nothing where that is too few to be shown."""
    totals = facts.totals
    labels = {"accepting": "Accepted", "rejected": "Rejected", "aborted": "Aborted"}
    rows: list[Row] = [{"answer": label, "services": totals[column]} for column, label in labels.items()]
    if totals["services"] and all(row["services"] is not None for row in rows):
        yield _bars(
            "answers", f"How DICOM services{_where(facts)} answered an unknown client",
            "Likely decoys included. Whether images could be read was not tried; acceptance does not show it.",
            [Bar(row["answer"], row["services"]) for row in rows], (("answer", "services"), rows),
        )  # fmt: skip


def ports(facts: Facts) -> Iterator[Chart]:
    """The ports of a country's services; nothing for all countries together, whose ports are merged by country."""
    rows = [row for row in facts.marts["ports"].rows if row["services"]] if facts.country else []
    if len(rows) > 1:
        yield _bars(
            "ports", f"Ports of the DICOM services{_where(facts)}", "Services that answered on each port, likely decoys included.",
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
        spoken="; ".join(f"{bar.name}: {bar.words}" for bar in shown),
        draw=lambda size: bars.draw(shown, size, SERVICES),
    )  # fmt: skip


def trends(facts: Facts) -> list[tuple[Span, Chart]]:
    """The number of services over time, for each span that leaves something out; none without a sweep to compare with."""
    pairs = zip(facts.series, facts.trend, facts.undoubted_trend, strict=True)
    rows = [row | cells.reachable(every) | _of_undoubted(row, known) for row, every, known in pairs]
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
    apart = all(row["decoys"] is not None for row in rows)
    points = [
        lines.estimated(row["started_at"], leading(row) if apart else row["services"], *_ends(row)) for row in rows
    ]
    every = [row["services"] for row in rows] if apart and any(row["decoys"] for row in rows) else []
    first, last = (
        f"{both(row) if apart else number(row['services'])} on {row['started_at']:%Y-%m-%d}"
        for row in (rows[0], rows[-1])
    )
    return Chart(
        name="trend" if span.days is None else f"trend-{span.name}",
        title=f"DICOM services that answered{_where(facts)}, per sweep",
        subtitle=_trend_note(points, apart=apart, every=bool(every)),
        spoken=f"From {first} to {last}, in {len(rows)} sweeps. "
        + "; ".join(map(lines.spoken, points[-lines.POINTS :])),
        columns=TREND,
        rows=[row | {key: row[key] if math.isfinite(row[key]) else None for key in ESTIMATED} for row in rows],
        draw=lambda size: lines.draw(points, size, SERVICES, every),
    )


def _trend_note(points: Sequence[lines.Point], *, apart: bool, every: bool) -> str:
    """How to read a trend."""
    counted = (
        "services that answered, without likely decoys" if apart else "services that answered, likely decoys included"
    )
    dashed = " Dashed: with them." if every else ""
    if all(point.low is None for point in points):
        return f"Line: {counted}.{dashed} Packet loss was not estimated, so at least that many were reachable."
    hollow = " Hollow points: loss was not estimated, so at least that many." if any(p.open for p in points) else ""
    return f"Line: {counted}.{dashed} Band: 95 % interval of those reachable from here, corrected for short losses.{hollow}"


def _of_undoubted(row: Row, estimate: Estimate) -> Row:
    """A sweep's services besides likely decoys, and how many of them were reachable."""
    ends = {"undoubted_there": estimate.value, "undoubted_low": estimate.low, "undoubted_high": estimate.high}
    return {"undoubted": undoubted(row)} | ends


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
            "Likely decoys included. Packet loss causes some of both, and so do systems that get another address.",
            "; ".join(counts), ("sweep", "started_at", "new", "returned", "missing"), rows,
            lambda size: turnover.draw(pairs, size, SERVICES), legend=LEGEND,
        )  # fmt: skip


def _ends(row: Row) -> tuple[float, float]:
    return row["undoubted_low"], row["undoubted_high"]


def _where(facts: Facts) -> str:
    return f" in {in_sentence(facts.country)}" if facts.country else ""
