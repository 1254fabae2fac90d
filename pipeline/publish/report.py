"""A sweep's report as files: one self-contained HTML page, Markdown, CSV, and the figures as pictures. Aggregates only."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import duckdb

from pipeline import host
from pipeline.errors import InputError
from pipeline.publish import (
    cells,
    figures,
    funnel,
    glossary,
    imprint,
    markdown_report,
    meaning,
    method_section,
    sheets,
    worldmap,
)
from pipeline.publish.chart import Chart, ShownChart
from pipeline.publish.data import Facts
from pipeline.publish.gather import gather
from pipeline.publish.imprint import Imprint
from pipeline.publish.publisher import Publisher
from pipeline.publish.scope import Scope
from pipeline.publish.sentences import headline, sentences, simulated, warning
from pipeline.untrusted.visible import visible

TEMPLATE = "report.html.j2"
#: The tables behind the figures over time, and behind the funnel.
OVER_TIME = ("trend", "country_trend", "changed", "recaptures")
FUNNEL = ("funnel", "country_funnel")
PICTURES = ("png", "svg")


@dataclass(frozen=True, slots=True)
class OrderedReport:
    """A report to be written: its data, who publishes it, and the kind of its pictures; empty if it has none."""

    facts: Facts
    publisher: Publisher
    pictures: str = ""


def write(
    con: duckdb.DuckDBPyConnection,
    sweep: str,
    folder: Path,
    formats: set[str],
    scope: Scope | None = None,
    by: Imprint | None = None,
) -> list[Path]:
    """Write the report of a sealed sweep in the given formats and return the files; `by` is who publishes it, on which proof.

    Raises InputError.
    """
    if unknown := sorted(formats - WRITERS.keys()):
        raise InputError("--format", f"{visible(unknown[0])} is not one of {', '.join(WRITERS)}")
    by = by or Imprint()
    pictures = PICTURES[not worldmap.drawable()] if formats & set(PICTURES) else ""
    order = OrderedReport(replace(gather(con, sweep, scope), proof=by.proof), by.publisher, pictures)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = [path for name, writer in WRITERS.items() if name in formats for path in writer(order, folder)]
    except OSError as error:
        raise InputError(str(folder), f"cannot be written: {error.strerror}") from None
    return list(dict.fromkeys(written))


def html(order: OrderedReport) -> str:
    """The page: everything in one file, nothing loaded from anywhere."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    facts = order.facts
    downloads = {sheet.name: f"data:text/csv;charset=utf-8,{quote(sheet.text)}" for sheet in sheets.labelled(facts)}

    def shown(charts: Iterable[Chart]) -> list[ShownChart]:
        return [ShownChart(chart, order.publisher.credit(facts)) for chart in charts]

    choices = [measure.choice for measure in worldmap.MEASURES]
    return environment.get_template(TEMPLATE).render(
        facts=facts, headline=headline(facts), simulated=simulated(facts), warning=warning(facts),
        sentences=list(sentences(facts)), maps=list(zip(choices, shown(figures.maps(facts)), strict=False)),
        counts=shown(figures.counts(facts)), over_time=shown(figures.over_time(facts)), funnel=funnel.steps(facts),
        funnel_note=funnel.NOTE, tables=cells.tables(facts), method=method_section.table(facts),
        sent=" ".join(method_section.sent(facts)), notes=" ".join(method_section.NOTES), downloads=downloads,
        behind_trend=[name for name in OVER_TIME if name in downloads], behind_funnel=[name for name in FUNNEL if name in downloads],
        meaning=meaning, glossary=glossary, sources=list(imprint.sources(facts)), titles=imprint,
        citation=list(imprint.citation(facts, order.publisher)), pictures=order.pictures,
    )  # fmt: skip


def _write_html(order: OrderedReport, folder: Path) -> Iterator[Path]:
    path = folder / "report.html"
    host.write_result(path, html(order))
    yield path


def _write_markdown(order: OrderedReport, folder: Path) -> Iterator[Path]:
    path = folder / "report.md"
    host.write_result(path, markdown_report.text(order.facts, order.publisher, order.pictures))
    yield path


def _write_csv(order: OrderedReport, folder: Path) -> Iterator[Path]:
    for sheet in sheets.labelled(order.facts):
        path = folder / f"{sheet.name}.csv"
        host.write_result(path, sheet.text)
        yield path


def _write_figures(order: OrderedReport, folder: Path) -> Iterator[Path]:
    return figures.write(order.facts, order.publisher.credit(order.facts), folder)


#: Format → its writer. `png` and `svg` both write both files of each figure.
WRITERS: dict[str, Callable[[OrderedReport, Path], Iterator[Path]]] = {
    "html": _write_html,
    "md": _write_markdown,
    "csv": _write_csv,
    "png": _write_figures,
    "svg": _write_figures,
}
