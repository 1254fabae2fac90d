"""docs/ontology.md explains every column that a report publishes, and no other column."""

import csv
import re
from pathlib import Path

from pipeline.publish import sheets
from tests.publish.history import gathered

PAGE = (Path(__file__).parents[2] / "docs" / "ontology.md").read_text("utf-8")
SWEEP = "20260720T030000Z-weekly"


def published() -> set[str]:
    """The columns of all CSV files of a report on a series of sweeps, and of those that it leaves out without a row."""
    facts = gathered(SWEEP)
    files = [next(csv.reader(sheet.text.splitlines())) for sheet in sheets.labelled(facts)]
    return {column for columns in (*files, *(sheet.columns for sheet in sheets.sheets(facts))) for column in columns}


def _explained() -> set[str]:
    """The columns of the page's section about numbers; some rows have several."""
    rows = re.findall(r"^\| (`.+?) \| .+ \| .+ \|$", PAGE.split("## Published numbers")[1], re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_every_published_column_is_explained() -> None:
    """The page has a line for each published column, and each line is of a published column."""
    assert _explained() == published()


def test_each_word_is_explained_once() -> None:
    """No word of the first sections is listed twice."""
    words = re.findall(r"^\| ([a-z][\w ,-]+) \| .+ \|$", PAGE.split("## Published numbers")[0], re.MULTILINE)
    words = [word for row in words for word in row.split(", ") if word != "word"]
    assert len(words) > 40
    assert len(words) == len(set(words))
