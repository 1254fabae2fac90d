"""A report as Markdown, to be read as it is, too: foreign text is escaped, sentences of the report are not."""

from collections.abc import Iterable, Iterator, Sequence

from pipeline.publish import cells, figures, funnel, glossary, imprint, meaning, method_section
from pipeline.publish.cells import Cell, ReportTable
from pipeline.publish.chart import Chart
from pipeline.publish.data import Facts
from pipeline.publish.escape import markdown
from pipeline.publish.publisher import Publisher
from pipeline.publish.sentences import headline, sentences, simulated, warning
from pipeline.untrusted.visible import visible


def text(facts: Facts, publisher: Publisher, pictures: str = "") -> str:
    """The report; `pictures` is the kind of the figures' files beside it (png or svg), empty if there are none."""
    cautions = [f"**{caution}**" for caution in (simulated(facts), warning(facts)) if caution]
    lines = [
        *_paragraphs([f"# {headline(facts)}", *cautions]),
        *_bullets(sentences(facts)),
        *_figures("In figures", [*figures.maps(facts), *figures.counts(facts)], pictures),
        *_figures("Over time", figures.over_time(facts), pictures),
        *_funnel(facts, funnel.NOTE),
        *(line for table in cells.tables(facts) for line in _section(table)),
        *_meaning(),
        *_grid(glossary.TITLE, ("Term", "Meaning"), glossary.TERMS),
        *_method(facts),
        *_paragraphs([f"## {imprint.SOURCES}"]),
        *_bullets(map(_source, imprint.sources(facts))),
        *_paragraphs([f"## {imprint.CITE}", *imprint.citation(facts, publisher)]),
    ]
    return "\n".join(lines)


def summary(facts: Facts) -> tuple[str, list[dict[str, str]]]:
    """The headline and the funnel as Markdown, and the countries as rows: the part of a report for a page about many sweeps."""
    countries = cells.table(facts, "countries")
    names = [cell.text for cell in countries.headings]
    rows = [dict(zip(names, [visible(cell.text) for cell in row], strict=True)) for row in countries.rows]
    banner = simulated(facts)
    lines = [*_paragraphs([f"# {headline(facts)}", *([f"**{banner}**"] if banner else [])]), *_funnel(facts)]
    return "\n".join(lines), rows


def _paragraphs(texts: Iterable[str]) -> Iterator[str]:
    return (line for text in texts for line in (text, ""))


def _bullets(texts: Iterable[str]) -> list[str]:
    return [*(f"- {text}" for text in texts), ""]


def _figures(title: str, drawn: Sequence[Chart], pictures: str) -> Iterator[str]:
    """The figures of a section by their files; nothing without any."""
    if drawn and pictures:
        yield from _paragraphs([f"## {title}", *(f"![{each.title}]({each.name}.{pictures})" for each in drawn)])


def _funnel(facts: Facts, note: str = "") -> list[str]:
    lines = [[step[key] for key in ("label", "count", "passed")] for step in funnel.steps(facts)]
    return _grid("Funnel", funnel.HEADINGS, lines, note)


def _section(table: ReportTable) -> list[str]:
    headings = [heading.text for heading in table.headings]
    return _grid(table.title, headings, [[_escaped(cell) for cell in row] for row in table.rows], table.question)


def _escaped(cell: Cell) -> str:
    return markdown(cell.text) if cell.foreign else cell.text


def _meaning() -> Iterator[str]:
    yield from _paragraphs([f"## {meaning.TITLE}", meaning.TEXT])
    yield from _bullets(f"**{reader}:** {advice}" for reader, advice in meaning.ADVICE)


def _method(facts: Facts) -> list[str]:
    lines = [[fact.term, markdown(fact.text) if fact.foreign else fact.text] for fact in method_section.table(facts)]
    texts = (" ".join(method_section.sent(facts)), *method_section.NOTES)
    return [*_grid("Method", ("What", "Value"), lines), *_paragraphs(texts)]


def _source(source: imprint.NamedSource) -> str:
    text = markdown(source.text) if source.foreign else source.text
    return f"{text}: <{source.url}>" if source.url else text


def _grid(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> list[str]:
    """A Markdown table under its title and a note; foreign text in it is escaped already."""
    drawn = ["| " + " | ".join(line) + " |" for line in (headings, *rows)]
    return [f"## {title}", "", *([note, ""] if note else []), drawn[0], "|" + " --- |" * len(headings), *drawn[1:], ""]
