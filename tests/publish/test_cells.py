"""The tables of a report."""

import pytest

from pipeline.outcome import Outcome
from pipeline.publish import cells
from pipeline.publish.gather import gather
from tests.analysis import lake
from tests.publish import demo


@pytest.mark.parametrize(("visited", "shown"), [(100_000, True), (1_000_000, False)])
def test_columns_that_mean_nothing_are_left_out(visited: int, shown: bool) -> None:
    """Intervals stand in a sampled sweep's table only, echoes only where a C-ECHO was sent."""
    table = cells.tables(gather(demo.connect(visited=visited), lake.SWEEP))[0]
    headings = [heading.text for heading in table.headings]
    assert ("Addresses, 95\u00a0% CI low" in headings) == shown and "Echoed" not in headings


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_is_explained(outcome: Outcome) -> None:
    """Each outcome comes with its sentence; one that is not known comes without."""
    assert cells.cell("outcome", str(outcome)).hint == outcome.explanation
    assert cells.cell("outcome", "other").hint == ""


def test_columns_are_those_of_the_marts() -> None:
    """Every column that the report shows exists in its mart."""
    gathered = gather(demo.connect(), lake.SWEEP)
    derived = {"there", "there_low", "there_high", "came", "went", "change"}
    for mart, (_, columns) in cells.TABLES.items():
        if mart in gathered.marts:
            assert {column for column, _ in columns} <= set(gathered.marts[mart].columns) | derived


def test_a_suspicion_is_explained() -> None:
    """A suspicion comes with its sentence, and one that the rules no longer have comes alone."""
    assert cells.cell("suspicion", "own-class-uid").hint.startswith("Returns the census's own")
    assert cells.cell("suspicion", "of-old").hint == ""


def test_yes_and_no_are_words() -> None:
    """A truth is a word, not a number."""
    assert [cells.cell("evidenced", value).text for value in (True, False)] == ["yes", "no"]
