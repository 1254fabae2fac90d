"""The tables of a report."""

import pytest

from pipeline.outcome import Outcome
from pipeline.publish import cells
from tests.publish import demo, history


@pytest.mark.parametrize(("visited", "shown"), [(100_000, True), (1_000_000, False)])
def test_columns_that_mean_nothing_are_left_out(visited: int, shown: bool) -> None:
    """Intervals are shown only for a sampled sweep, and echoes only if a C-ECHO was sent."""
    table = cells.tables(demo.gathered(visited=visited))[0]
    headings = [heading.text for heading in table.headings]
    assert ("Services, 95\u00a0% CI low" in headings) == shown and "Echoed" not in headings


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_is_explained(outcome: Outcome) -> None:
    """Each outcome has its explanation; an unknown outcome has none."""
    assert cells.cell("outcome", str(outcome)).hint == outcome.explanation
    assert cells.cell("outcome", "other").hint == ""


def test_columns_are_those_of_the_marts() -> None:
    """Every column that the report shows exists in its mart."""
    gathered = history.gathered("20260629T030000Z-weekly")
    derived = {"undoubted", "rank", "there", "there_low", "there_high", "came", "went", "change"}
    for mart, (_, columns) in cells.TABLES.items():
        if mart in gathered.marts:
            assert {column for column, _ in columns} <= set(gathered.marts[mart].columns) | derived


def test_a_suspicion_is_explained() -> None:
    """A suspicion has its explanation; a suspicion that the rules no longer have has none."""
    assert cells.cell("suspicion", "class-uid-missing").hint.startswith("Accepts without")
    assert cells.cell("suspicion", "of-old").hint == ""


def test_yes_and_no_are_words() -> None:
    """A Boolean is a word, not a number."""
    assert [cells.cell("evidenced", value).text for value in (True, False)] == ["yes", "no"]
