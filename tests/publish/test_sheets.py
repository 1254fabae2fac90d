"""The tables of a report as CSV."""

from pipeline.publish import sheets
from pipeline.publish.gather import gather
from pipeline.publish.scope import Scope
from pipeline.publish.sheets import Sheet
from tests.analysis import lake
from tests.publish import demo


def test_formulas_are_text() -> None:
    """A cell that a spreadsheet would evaluate becomes text, a number stays a number, and null is empty."""
    rows = [{"a": "=1+1", "b": -5}, {"a": None, "b": 2.5}]
    assert Sheet("x", ("a", "b"), rows).text == "a,b\n'=1+1,-5\n,2.5\n"


def test_every_mart_is_a_sheet() -> None:
    """Each mart is a sheet with its own columns first and derived columns last, countries without a service included."""
    found = gather(demo.connect(), lake.SWEEP, Scope(min_cell=1))
    made = {sheet.name: sheet for sheet in sheets.sheets(found)}
    assert made.keys() == {*found.marts, "survival", "changed"}
    assert made["countries"].columns[-6:] == ("there", "there_low", "there_high", "came", "went", "change")
    assert len(made["countries"].rows) == len(found.marts["countries"].rows)
