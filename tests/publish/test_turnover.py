"""Bars up and down over time."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from pipeline.publish import turnover
from pipeline.publish.drawing import NARROW, PICTURE, WIDE, Size
from pipeline.publish.turnover import Turnover

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize("size", [WIDE, NARROW, PICTURE])
@pytest.mark.parametrize("weeks", [1, 2, 60])
def test_new_is_above_and_missing_below(size: Size, weeks: int) -> None:
    """New services are above the line and missing ones below it, as high as their numbers, each with a text, clear of the axis."""
    pairs = [Turnover(BEGIN + timedelta(weeks=week), 4, 2) for week in range(weeks)]
    root = ElementTree.fromstring(f"<svg>{turnover.draw(pairs, size, 'DICOM services')}</svg>")
    bars = root.findall("rect")
    up, down = bars[:2]
    assert len(bars) == 2 * weeks and up.findtext("title") == "2026-06-01: 4 new or returned"
    assert float(up.get("height", "")) == pytest.approx(2 * float(down.get("height", "")), abs=0.2)
    assert float(up.get("y", "")) < float(down.get("y", ""))
    left = min(float(one.get("x1", "")) for one in root.iter("line"))
    assert all(left <= float(bar.get("x", "")) <= size.width - float(bar.get("width", "")) for bar in bars)


def test_ticks_are_round_in_both_directions() -> None:
    """The axis has the same round numbers above and below 0."""
    drawn = turnover.draw([Turnover(BEGIN, 20, 21)], WIDE, "DICOM services")
    texts = [one.text for one in ElementTree.fromstring(f"<svg>{drawn}</svg>").iter("text")]
    assert texts[1:8] == ["30", "20", "10", "0", "10", "20", "30"]
