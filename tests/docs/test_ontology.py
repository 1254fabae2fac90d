"""docs/ontology.md explains every column that a report publishes, and no other column."""

import csv
import re
from pathlib import Path

import pytest

from pipeline.publish import report, sheets
from pipeline.publish.gather import gather
from pipeline.views import connection
from tests.publish import history

PAGE = (Path(__file__).parents[2] / "docs" / "ontology.md").read_text("utf-8")
SWEEP = "20260720T030000Z-weekly"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The columns of all CSV files of a report on a series of sweeps, and of those that it leaves out without a row."""
    folder = tmp_path_factory.mktemp("ontology")
    history.write(folder / "lake")
    with connection.connect(folder / "lake") as con:
        written = report.write(con, SWEEP, folder / "report", {"csv"})
        columns = {column for sheet in sheets.sheets(gather(con, SWEEP)) for column in sheet.columns}
    for path in written:
        with path.open(newline="") as file:
            columns |= set(next(csv.reader(file)))
    return columns


def _explained() -> set[str]:
    """The columns of the page's section about numbers; some rows have several."""
    rows = re.findall(r"^\| (`.+?) \| .+ \| .+ \|$", PAGE.split("## Published numbers")[1], re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_every_published_column_is_explained(published: set[str]) -> None:
    """The page has a line for each published column, and each line is of a published column."""
    assert _explained() == published


def test_each_word_is_explained_once() -> None:
    """No word of the first sections is listed twice."""
    words = re.findall(r"^\| ([a-z][\w ,-]+) \| .+ \|$", PAGE.split("## Published numbers")[0], re.MULTILINE)
    words = [word for row in words for word in row.split(", ") if word != "word"]
    assert len(words) > 40
    assert len(words) == len(set(words))
