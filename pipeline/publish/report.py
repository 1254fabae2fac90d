"""A sweep's report as files: one self-contained HTML page, Markdown, CSV, and the figures as pictures. Aggregates only."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import duckdb

from pipeline import host
from pipeline.errors import InputError
from pipeline.publish import cells, figures, method_section, sheets
from pipeline.publish.cells import Cell
from pipeline.publish.data import Facts, Row
from pipeline.publish.escape import markdown
from pipeline.publish.gather import gather
from pipeline.publish.scope import Scope
from pipeline.publish.sentences import STEPS, headline, sentences, simulated, warning
from pipeline.publish.wording import number
from pipeline.untrusted.visible import visible

TEMPLATE = "report.html.j2"
FUNNEL = ("Step", "Targets", "% of previous step")


def write(
    con: duckdb.DuckDBPyConnection,
    sweep: str,
    folder: Path,
    formats: set[str],
    scope: Scope | None = None,
    proof: str = "",
) -> list[Path]:
    """Write the report of a sealed sweep in the given formats and return the files; `proof` is what its numbers stand on.

    Raises InputError.
    """
    if unknown := sorted(formats - WRITERS.keys()):
        raise InputError("--format", f"{visible(unknown[0])} is not one of {', '.join(WRITERS)}")
    facts = replace(gather(con, sweep, scope), proof=proof)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = [path for name, writer in WRITERS.items() if name in formats for path in writer(facts, folder)]
    except OSError as error:
        raise InputError(str(folder), f"cannot be written: {error.strerror}") from None
    return list(dict.fromkeys(written))


def html(facts: Facts) -> str:
    """The page: everything in one file, nothing loaded from anywhere."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template(TEMPLATE).render(
        facts=facts,
        headline=headline(facts),
        simulated=simulated(facts),
        warning=warning(facts),
        sentences=list(sentences(facts)),
        funnel=funnel(facts),
        tables=cells.tables(facts),
        method=method_section.table(facts),
        sent=" ".join(method_section.sent(facts)),
        notes=" ".join(method_section.NOTES),
        figures=[(figure, Markup(figure.svg)) for figure in figures.figures(facts)],  # noqa: S704 - as the map
        downloads={sheet.name: f"data:text/csv;charset=utf-8,{quote(sheet.text)}" for sheet in sheets.sheets(facts)},
        # Our own drawing: numbers and fixed labels only, no string of a peer.
        maps=[(measure, Markup(drawing)) for measure, drawing in figures.maps(facts)],  # noqa: S704
    )


def funnel(facts: Facts) -> list[dict[str, object]]:
    """The steps with their counts, the width of their bars (logarithmic) and their share of the previous step."""
    rows = facts.marts["funnel"].rows
    widest = math.log1p(max((row["targets"] or 0 for row in rows), default=0)) or 1.0
    counts = [row["targets"] for row in rows]
    return [
        {
            "label": STEPS[row["step"]],
            "count": _passing(facts, row),
            "width": f"{100 * math.log1p(row['targets'] or 0) / widest:.1f}",
            "passed": f"{100 * row['targets'] / before:.3g} %" if before and row["targets"] is not None else "",
        }
        for row, before in zip(rows, [None, *counts], strict=False)
    ]


def _passing(facts: Facts, row: Row) -> str:
    """The number of targets that pass a step."""
    if row["targets"] is not None:
        return number(row["targets"])
    return "not requested" if row["step"] == "echoes" and not facts.sends_echo else "withheld"


def markdown_text(facts: Facts) -> str:
    """The report as Markdown, to be read as it is too: foreign text is escaped, sentences of the report are not."""
    return "\n".join(
        [
            f"# {headline(facts)}",
            "",
            *(line for caution in (simulated(facts), warning(facts)) if caution for line in (f"**{caution}**", "")),
            *(line for sentence in sentences(facts) for line in (sentence, "")),
            *_grid("Funnel", FUNNEL, _funnel_lines(facts), "Targets (address and port) that pass each step."),
            *(line for table in cells.tables(facts) for line in _section(table)),
            *_method(facts),
        ]
    )


def summary(facts: Facts) -> tuple[str, list[dict[str, str]]]:
    """The headline and the funnel as Markdown, and the countries as rows: the part of a report for a page about many sweeps."""
    countries = next(table for table in cells.tables(facts) if table.mart == "countries")
    names = [cell.text for cell in countries.headings]
    rows = [dict(zip(names, [visible(cell.text) for cell in row], strict=True)) for row in countries.rows]
    banner = simulated(facts)
    lines = [
        f"# {headline(facts)}",
        "",
        *([f"**{banner}**", ""] if banner else []),
        *_grid("Funnel", FUNNEL, _funnel_lines(facts)),
    ]
    return "\n".join(lines), rows


def _funnel_lines(facts: Facts) -> list[list[str]]:
    return [[str(step[key]) for key in ("label", "count", "passed")] for step in funnel(facts)]


def _section(table: cells.ReportTable) -> list[str]:
    headings = [heading.text for heading in table.headings]
    return _grid(
        table.title, headings, [[_escaped(cell) for cell in row] for row in table.rows], table.question, table.empty
    )


def _escaped(cell: Cell) -> str:
    return markdown(cell.text) if cell.foreign else cell.text


def _method(facts: Facts) -> list[str]:
    lines = [[fact.term, markdown(fact.text) if fact.foreign else fact.text] for fact in method_section.table(facts)]
    texts = (line for text in (" ".join(method_section.sent(facts)), *method_section.NOTES) for line in (text, ""))
    return [*_grid("Method", ("What", "Value"), lines), *texts]


def _grid(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], note: str = "", empty: str = "None."
) -> list[str]:
    """A Markdown table under its title and a note; foreign text in it is escaped already."""
    drawn = ["| " + " | ".join(line) + " |" for line in (headings, *rows)]
    grid = [drawn[0], "|" + " --- |" * len(headings), *drawn[1:]] if rows else [empty]
    return [f"## {title}", "", *([note, ""] if note else []), *grid, ""]


def _write_html(facts: Facts, folder: Path) -> list[Path]:
    path = folder / "report.html"
    host.write_result(path, html(facts))
    return [path]


def _write_markdown(facts: Facts, folder: Path) -> list[Path]:
    path = folder / "report.md"
    host.write_result(path, markdown_text(facts))
    return [path]


def _write_csv(facts: Facts, folder: Path) -> list[Path]:
    written = []
    for sheet in sheets.sheets(facts):
        path = folder / f"{sheet.name}.csv"
        host.write_result(path, sheet.text)
        written.append(path)
    return written


def _write_figures(facts: Facts, folder: Path) -> list[Path]:
    return figures.write(facts, folder)


#: Format → its writer. `png` and `svg` both write both files of each figure.
WRITERS: dict[str, Callable[[Facts, Path], list[Path]]] = {
    "html": _write_html,
    "md": _write_markdown,
    "csv": _write_csv,
    "png": _write_figures,
    "svg": _write_figures,
}
