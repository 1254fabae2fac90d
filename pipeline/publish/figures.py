"""The figures of a report: which charts it has, and their pictures as files."""

from collections.abc import Iterator
from pathlib import Path

from pipeline import host
from pipeline.publish import chart, charts, worldmap
from pipeline.publish.chart import Chart, Credit
from pipeline.publish.data import Facts


def maps(facts: Facts) -> list[Chart]:
    """The maps; none of a country's edition, nor where maps cannot be drawn."""
    return charts.maps(facts) if worldmap.drawable() and not facts.country else []


def counts(facts: Facts) -> list[Chart]:
    """The countries by rank, how services answered, and on which ports."""
    return [*charts.ranking(facts), *charts.answers(facts), *charts.ports(facts)]


def over_time(facts: Facts) -> list[Chart]:
    """The plots over time; none for a sweep without others to compare it with."""
    trend = [each for _, each in charts.trends(facts)[:1]]
    return [*trend, *([] if facts.country else charts.country_trends(facts)), *charts.changes(facts)] if trend else []


def figures(facts: Facts) -> list[Chart]:
    """All of them, in the order of the report."""
    return [*maps(facts), *counts(facts), *over_time(facts)]


def write(facts: Facts, credit: Credit, folder: Path) -> Iterator[Path]:
    """Write every figure as SVG and as PNG on white; without the extra `plots`, no map and no PNG."""
    for each in figures(facts):
        vector, picture = folder / f"{each.name}.svg", folder / f"{each.name}.png"
        host.write_result(vector, each.picture(credit, white=False))
        yield vector
        if worldmap.drawable():
            host.write_result(picture, chart.png(each.picture(credit, white=True)))
            yield picture


def missing() -> list[str]:
    """What a report lacks here, in words for whoever writes it."""
    lacks = "the report has no maps and no PNG pictures: install dicom-census[plots]"
    return [] if worldmap.drawable() else [lacks]
