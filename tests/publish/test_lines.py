"""A line over time."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from pipeline.publish import lines
from pipeline.publish.drawing import NARROW, PICTURE, WIDE, Size
from pipeline.publish.lines import Point

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)


def drawn(points: list[Point], size: Size) -> ElementTree.Element:
    return ElementTree.fromstring(f"<svg>{lines.draw(points, size, 'DICOM services')}</svg>")


@pytest.mark.parametrize("size", [WIDE, NARROW, PICTURE])
def test_everything_is_within(size: Size) -> None:
    """Axis names, ticks, points and the last number lie within the plot, and the line falls as the number does."""
    points = [Point(BEGIN + timedelta(weeks=n), 1000 - n, 990 - n, 1040 - n) for n in range(52)]
    root = drawn(points, size)
    texts = [one.text for one in root.iter("text")]
    assert texts[0] == "DICOM services" and lines.AXIS_X in texts and texts[-1] == "949" and "Jul 2026" in texts
    assert all(0 <= float(one.get("y", "-1")) <= size.height for one in root.iter("text"))
    heights = [float(one.get("cy", "0")) for one in root.iter("circle")]
    assert len(heights) == 52 and heights == sorted(heights)
    assert len(root.findall("path")) == 1


def test_years_have_no_points() -> None:
    """With more sweeps than points can be told apart, the line alone is drawn; without an interval there is no band."""
    root = drawn([Point(BEGIN + timedelta(weeks=n), n) for n in range(520)], WIDE)
    assert not root.findall("circle") and not root.findall("path") and len(root.findall("polyline")) == 1


def test_an_open_number_is_hollow() -> None:
    """Where loss is not known a point is hollow and says at least."""
    root = drawn([Point(BEGIN, 5, open=True), Point(BEGIN + timedelta(7), 6, 6, 8)], WIDE)
    first, last = root.findall("circle")
    assert first.get("fill") != last.get("fill") and first.findtext("title") == "2026-01-05: at least 5"
    assert last.findtext("title") == "2026-01-12: 6 (6 to 8)"


def test_a_larger_number_is_dashed() -> None:
    """A second, larger number at each point is a dashed line with its last number, and the axis has room for it."""
    points = [Point(BEGIN + timedelta(weeks=n), 100) for n in range(5)]
    root = ElementTree.fromstring(f"<svg>{lines.draw(points, WIDE, 'DICOM services', [180] * 5)}</svg>")
    dashed, line = root.findall("polyline")
    assert "stroke-dasharray" in dashed.attrib and "stroke-dasharray" not in line.attrib
    heights = [float(each.get("points", "").split(",")[-1]) for each in (dashed, line)]
    assert 0 < heights[0] < heights[1]
    assert {"180", "100"} <= {one.text for one in root.iter("text")}
