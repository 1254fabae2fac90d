"""A sweep's report as files: one self-contained HTML page, Markdown, CSV, and the figures as pictures. Aggregates only."""

import math
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import duckdb

from pipeline.errors import InputError
from pipeline.publish import cells, figures, sheets, worldmap
from pipeline.publish import data as gathering
from pipeline.publish import sentences as words
from pipeline.publish.data import Facts
from pipeline.publish.edition import Edition
from pipeline.publish.escape import markdown, visible

TEMPLATE = "report.html.j2"
FUNNEL = ["Step", "Targets", "Of the step before"]


def write(
    con: duckdb.DuckDBPyConnection, sweep: str, folder: Path, formats: set[str], edition: Edition | None = None
) -> list[Path]:
    """Write the report of a sealed sweep, or an edition of it, in the given formats; returns the files. Raises InputError."""
    if unknown := sorted(formats - WRITERS.keys()):
        raise InputError("--format", f"{visible(unknown[0])} is not one of {', '.join(WRITERS)}")
    facts = gathering.gather(con, sweep, edition)
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
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found = facts.marts["countries"].rows
    return environment.get_template(TEMPLATE).render(
        facts=facts,
        headline=words.headline(facts),
        warning=words.warning(facts),
        sentences=list(words.sentences(facts)),
        funnel=funnel(facts),
        tables=cells.tables(facts),
        method=words.method(facts),
        figures=[(figure, Markup(figure.svg)) for figure in figures.figures(facts)],  # noqa: S704 - as the map
        downloads={sheet.name: f"data:text/csv;charset=utf-8,{quote(sheet.text)}" for sheet in sheets.sheets(facts)},
        # Our own drawing: numbers and fixed labels only, no string of a peer.
        maps=[(measure, Markup(worldmap.svg(found, measure, legend=False))) for measure in worldmap.MEASURES],  # noqa: S704
    )


def funnel(facts: Facts) -> list[dict[str, object]]:
    """The steps with their counts, the width of their bars (logarithmic) and the share of the step before."""
    rows = facts.marts["funnel"].rows
    widest = math.log1p(max((row["targets"] or 0 for row in rows), default=0)) or 1.0
    counts = [row["targets"] for row in rows]
    return [
        {
            "label": words.STEPS[row["step"]],
            "count": "not requested" if row["targets"] is None else words.number(row["targets"]),
            "width": f"{100 * math.log1p(row['targets'] or 0) / widest:.1f}",
            "passed": f"{100 * row['targets'] / before:.3g} %" if before and row["targets"] is not None else "",
        }
        for row, before in zip(rows, [None, *counts], strict=False)
    ]


def markdown_text(facts: Facts) -> str:
    """The report as Markdown."""
    caution = words.warning(facts)
    return "\n".join(
        [
            f"# {markdown(words.headline(facts))}",
            "",
            *([f"**{markdown(caution)}**", ""] if caution else []),
            *(line for sentence in words.sentences(facts) for line in (markdown(sentence), "")),
            *_grid("Funnel", FUNNEL, _funnel_lines(facts)),
            *(line for table in cells.tables(facts) for line in _section(table)),
            *_grid("Method", ["What", "Value"], [list(pair) for pair in words.method(facts)]),
        ]
    )


def summary(facts: Facts) -> tuple[str, list[dict[str, str]]]:
    """The headline and the funnel as Markdown, and the countries as rows: what a page about many sweeps shows of each."""
    countries = next(table for table in cells.tables(facts) if table.mart == "countries")
    names = [cell.text for cell in countries.headings]
    rows = [dict(zip(names, [visible(cell.text) for cell in row], strict=True)) for row in countries.rows]
    lines = [f"# {markdown(words.headline(facts))}", "", *_grid("Funnel", FUNNEL, _funnel_lines(facts))]
    return "\n".join(lines), rows


def _funnel_lines(facts: Facts) -> list[list[str]]:
    return [[str(step[key]) for key in ("label", "count", "passed")] for step in funnel(facts)]


def _section(table: cells.Table) -> list[str]:
    return _grid(
        table.title, [cell.text for cell in table.headings], [[cell.text for cell in row] for row in table.rows]
    )


def _grid(title: str, headings: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table under its title."""
    lines = [headings, *rows]
    drawn = ["| " + " | ".join(map(markdown, line)) + " |" for line in lines]
    return [f"## {title}", "", drawn[0], "|" + " --- |" * len(headings), *drawn[1:], ""]


def _write_html(facts: Facts, folder: Path) -> list[Path]:
    path = folder / "report.html"
    path.write_text(html(facts), "utf-8")
    return [path]


def _write_markdown(facts: Facts, folder: Path) -> list[Path]:
    path = folder / "report.md"
    path.write_text(markdown_text(facts), "utf-8")
    return [path]


def _write_csv(facts: Facts, folder: Path) -> list[Path]:
    written = []
    for sheet in sheets.sheets(facts):
        path = folder / f"{sheet.name}.csv"
        path.write_text(sheet.text, "utf-8")
        written.append(path)
    return written


def _write_figures(facts: Facts, folder: Path) -> list[Path]:
    return figures.write(facts, folder)


#: Format → who writes it. `png` and `svg` both write both files of each figure.
WRITERS: dict[str, Callable[[Facts, Path], list[Path]]] = {
    "html": _write_html,
    "md": _write_markdown,
    "csv": _write_csv,
    "png": _write_figures,
    "svg": _write_figures,
}
