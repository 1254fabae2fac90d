"""README's excerpts of the demo use the words that the program prints."""

import re
from pathlib import Path

from pipeline.publish.headings import TABLES
from pipeline.publish.report import FUNNEL
from pipeline.publish.sentences import STEPS

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def _rows(edge: str) -> list[list[str]]:
    """The cells of the lines that this edge divides."""
    lines = re.findall(rf"^{edge} (.+) {edge}$", README, re.MULTILINE)
    return [[cell.strip() for cell in line.split(edge)] for line in lines]


def test_the_funnel_has_its_words() -> None:
    """The funnel has the headings and the steps of a report."""
    assert list(FUNNEL) in _rows("┃")
    assert [row[0] for row in _rows("│") if len(row) == len(FUNNEL)] == list(STEPS.values())


def test_the_countries_have_their_headings() -> None:
    """The headings of the table of countries are some of a report's, in their order."""
    shown = next(row for row in _rows("┃") if row[0] == "Country")
    headings = [heading for _, heading in TABLES["countries"][1] if heading in shown]
    assert headings == shown
