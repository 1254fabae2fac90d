"""README's excerpts of the demo use the words that the program prints."""

import re
from pathlib import Path

from pipeline.console.progress import WATCHED
from pipeline.publish.funnel import HEADINGS
from pipeline.publish.headings import TABLES
from pipeline.words.steps import STEPS

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def _rows(edge: str) -> list[list[str]]:
    """The cells of the lines that this edge divides."""
    lines = re.findall(rf"^{edge} (.+) {edge}$", README, re.MULTILINE)
    return [[cell.strip() for cell in line.split(edge)] for line in lines]


def test_the_funnel_has_its_words() -> None:
    """The funnel has the headings and the steps of a report."""
    assert list(HEADINGS) in _rows("┃")
    words = [word for step, word in STEPS.items() if step != "visited"]
    assert [row[0] for row in _rows("│") if len(row) == len(HEADINGS)] == words


def test_progress_has_its_words() -> None:
    """The line of progress has the steps that are watched, in their words."""
    (line,) = [line for line in README.splitlines() if "of the time  " in line]
    named = re.findall(r"  ([A-Za-z][A-Za-z -]*?) [\d,]+(?=  )", line)
    assert named[: len(WATCHED)] == [STEPS[step] for step in WATCHED]


def test_the_countries_have_their_headings() -> None:
    """The headings of the table of countries are some of a report's, in their order."""
    shown = next(row for row in _rows("┃") if row[0] == "Country")
    headings = [heading for _, heading in TABLES["countries"][1] if heading in shown]
    assert headings == shown
