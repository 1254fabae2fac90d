"""The figures of a report: the maps, the trend and the turnover of its series, as SVG for the page and as files."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import host
from pipeline.publish import plot, worldmap
from pipeline.publish.countries import countries, in_sentence
from pipeline.publish.data import Facts
from pipeline.publish.plot import Point, Turnover
from pipeline.publish.sentences import simulated
from pipeline.publish.worldmap import Measure

#: The number of countries, those with the most services, that get a trend each.
COUNTRIES = 4


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing: the name of its file, its title, and a sentence on how to read it."""

    name: str
    title: str
    note: str
    svg: str


def figures(facts: Facts) -> list[Figure]:
    """The plots over time; none for a sweep without others to compare it with."""
    return [*_trends(facts), *_turnover(facts)] if len(facts.series) > 1 else []


def maps(facts: Facts) -> list[tuple[Measure, str]]:
    """The maps for the page; none of a country's edition, nor where maps cannot be drawn."""
    return worldmap.drawings(facts.marts["countries"].rows) if _mapped(facts) else []


def _mapped(facts: Facts) -> bool:
    return worldmap.drawable() and not facts.country


def _trends(facts: Facts) -> Iterator[Figure]:
    where = f" in {in_sentence(facts.country)}" if facts.country else ""
    points = [
        Point(row["started_at"], row["services"], **interval(estimate.low, estimate.high))
        for row, estimate in zip(facts.series, facts.trend, strict=True)
    ]
    note = (
        "Points are counts; bars are the 95 % interval of the number of services that were reachable from here, corrected for short "
        "losses. Hollow points: packet loss was not estimated, so at least that many."
        if any(point.low is not None for point in points)
        else "Points are counts; packet loss was not estimated, so at least that many."
    )
    label = f"DICOM services that answered{where}, per sweep"
    yield Figure("trend", f"Services per sweep{where}", note, plot.trend(points, _spoken(label, points)))
    if facts.country:
        return
    # A foreign database may hold any text as a country: no file is named after it.
    known = [row for row in facts.marts["countries"].rows if row["country"] in countries() and row["services"]]
    latest = [row["country"] for row in known[:COUNTRIES]]
    for country in latest:
        own = {row["sweep"]: row["services"] for row in facts.marts["country_trend"].rows if row["country"] == country}
        line = [Point(row["started_at"], own.get(row["sweep"], 0)) for row in facts.series]
        title = f"Services per sweep in {in_sentence(country)}"
        note = "Points are counts. Packet loss is not taken out."
        yield Figure(f"trend-{country}", title, note, plot.trend(line, _spoken(title, line)))


def interval(low: float, high: float) -> dict[str, Any]:
    """The ends of an estimate for its point; none where the estimate is the count, or where it has no upper end."""
    if math.isinf(high):
        return {"open": True}
    return {} if low == high else {"low": low, "high": high}


def _turnover(facts: Facts) -> Iterator[Figure]:
    if facts.country:
        return
    started = {row["sweep"]: row["started_at"] for row in facts.series}
    pairs = [
        Turnover(started[row["sweep"]], row["new"] + row["returned"], row["missing"])
        for row in facts.history
        if row["sweep"] in started
    ]
    if pairs:
        counts = "; ".join(f"{pair.at:%Y-%m-%d}: {pair.came} new or returned, {pair.went} missing" for pair in pairs)
        note = (
            "Up: new or returned since the previous sweep. Down: missing since the previous sweep. Packet loss causes some of both, "
            "and so do systems that get another address."
        )
        yield Figure(
            "turnover", "New and missing services", note, plot.turnover(pairs, f"New and missing services. {counts}")
        )


def _spoken(label: str, points: list[Point]) -> str:
    """The text of a trend for screen readers: every number."""
    return f"{label}. " + "; ".join(f"{point.at:%Y-%m-%d}: {point.value:,.0f}" for point in points)


def write(facts: Facts, folder: Path) -> list[Path]:
    """Write the maps and every figure as SVG and PNG; without the extra `plots`, no map and no PNG."""
    drawable, note = worldmap.drawable(), simulated(facts)
    written = worldmap.write(facts.marts["countries"].rows, folder, note) if _mapped(facts) else []
    for figure in figures(facts):
        vector, picture = folder / f"{figure.name}.svg", folder / f"{figure.name}.png"
        drawing = worldmap.noted(figure.svg, note)
        host.write_result(vector, drawing)
        written.append(vector)
        if drawable:
            host.write_result(picture, plot.png(drawing))
            written.append(picture)
    return written


def missing() -> list[str]:
    """What a report lacks here, in words for whoever writes it."""
    lacks = "the report has no maps and no PNG pictures: install dicom-census[plots]"
    return [] if worldmap.drawable() else [lacks]
