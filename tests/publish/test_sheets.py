"""The tables of a report as CSV."""

from datetime import UTC, datetime

from pipeline.publish import sheets
from pipeline.publish.scope import Scope
from pipeline.publish.sheets import Sheet
from tests.publish import demo
from tests.publish.history import gathered


def test_formulas_are_text() -> None:
    """A cell that a spreadsheet would evaluate becomes text, a number stays a number, and null is empty."""
    rows = [{"a": "=1+1", "b": -5}, {"a": None, "b": 2.5}]
    assert Sheet("x", ("a", "b"), rows).text == "a,b\n'=1+1,-5\n,2.5\n"


def test_every_mart_is_a_sheet() -> None:
    """Each mart is a sheet with its own columns first and derived columns last, countries without a service included."""
    found = demo.gathered(Scope(min_cell=1))
    made = {sheet.name: sheet for sheet in sheets.sheets(found)}
    assert made.keys() == {*found.marts, "survival", "changed"}
    assert made["countries"].columns[-7:] == ("rank", "there", "there_low", "there_high", "came", "went", "change")
    assert len(made["countries"].rows) == len(found.marts["countries"].rows)


def test_rows_say_what_they_are_about() -> None:
    """Each row of a file has its sweep, the day and the name of its country; a table over time has the day of each sweep."""
    made = {sheet.name: sheet for sheet in sheets.labelled(gathered("20260629T030000Z-weekly"))}
    first, *_ = made["countries"].rows
    assert made["countries"].columns[:5] == ("sweep", "date", "country", "country_name", "services")
    assert (first["sweep"], first["date"]) == ("20260629T030000Z-weekly", "2026-06-29")
    assert (first["country"], first["country_name"]) == ("US", "United States")
    assert [row["date"] for row in made["trend"].rows][:2] == ["2026-06-01", "2026-06-08"]
    assert all(sheet.rows for sheet in made.values())


def test_numbers_are_rounded() -> None:
    """Fractions have four digits, whole numbers no point, and times are as in ISO 8601."""
    values = [5126.953125, 13.709344871684394, 0.000123456, 85.0, 0.0, datetime(2026, 6, 1, 3, tzinfo=UTC), True]
    lines = Sheet("x", ("a",), [{"a": value} for value in values]).text.splitlines()
    assert lines[1:] == ["5127", "13.71", "0.0001235", "85", "0", "2026-06-01T03:00:00Z", "True"]
