"""Plots."""

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from pipeline.publish import plot
from pipeline.publish.plot import Point, Turnover

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


def weeks(*values: float, line: int = 0) -> list[Point]:
    return [Point(BEGIN + timedelta(weeks=n), value, value - 1, value + 3, line) for n, value in enumerate(values)]


@pytest.mark.parametrize("values", [(5, 9, 7), (0, 0), (3,), (1_000_000, 2_000_001), ()])
def test_every_trend_is_a_drawing(values: tuple[float, ...]) -> None:
    """The trend has a point inside the frame for each number, also for one number, for none, and for zeros."""
    drawn = ElementTree.fromstring(plot.trend(weeks(*values), 'say "this" & <that>'))
    circles = drawn.findall(f"{SVG}circle")
    assert len(circles) == len(values) and drawn.get("aria-label") == 'say "this" & <that>'
    for circle in circles:
        assert 0 <= float(circle.get("cx", "")) <= plot.WIDTH and 0 <= float(circle.get("cy", "")) <= plot.HEIGHT


def test_higher_is_higher() -> None:
    """More services are drawn higher, and later ones further right."""
    places = [
        (float(c.get("cx", "")), float(c.get("cy", "")))
        for c in ElementTree.fromstring(plot.trend(weeks(5, 9), "x")).iter(f"{SVG}circle")
    ]
    assert places[0][0] < places[1][0] and places[0][1] > places[1][1]


def test_series_are_not_joined() -> None:
    """Two series make two lines."""
    points = [*weeks(5, 6), *(Point(BEGIN + timedelta(weeks=9 + n), 7, line=1) for n in range(2))]
    assert plot.trend(points, "x").count("<polyline") == 2


def test_turnover_goes_up_and_down() -> None:
    """New services are drawn above the line and missing ones below it, each with a text."""
    drawn = plot.turnover([Turnover(BEGIN, 4, 2)], "x")
    up, down = ElementTree.fromstring(drawn).findall(f"{SVG}rect")
    assert float(up.get("height", "")) == pytest.approx(2 * float(down.get("height", "")), abs=0.2)
    assert "4 new or returned" in drawn and "2 missing" in drawn


def test_png() -> None:
    """A figure becomes a PNG of twice its size."""
    data = plot.png(plot.trend(weeks(5, 9), "x"))
    assert data.startswith(b"\x89PNG") and int.from_bytes(data[16:20], "big") == 2 * plot.WIDTH


@pytest.mark.parametrize("value", [0, 3, 5, 12, 99, 101, 1_234_567])
def test_scales_are_round(value: float) -> None:
    """The end of the scale is at least the number, and not much more."""
    top = plot._nice(value)
    assert value <= top <= max(4, 1.7 * value) and re.fullmatch(r"\d{1,2}0*(\.0)?", f"{top:.1f}")
