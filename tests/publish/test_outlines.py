"""Outlines of countries as GeoJSON."""

from itertools import pairwise

import pytest

from pipeline.publish import outlines
from pipeline.publish.countries import countries


def area(ring: list[tuple[float, float]]) -> float:
    """Twice the area of a ring, positive if it turns against the clock."""
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(ring))


def polygons(code: str) -> list[list[list[tuple[float, float]]]]:
    shape = outlines.geometry(code)
    assert shape is not None
    return [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]


@pytest.mark.parametrize(("code", "west", "south", "east", "north"), [("GB", -9, 49, 2, 61), ("ZA", 16, -35, 33, -22)])
def test_an_outline_is_where_the_country_is(code: str, west: float, south: float, east: float, north: float) -> None:
    """All of a country's outline lies within its bounds, and fills most of them."""
    xs, ys = zip(*(place for polygon in polygons(code) for ring in polygon for place in ring), strict=True)
    assert west <= min(xs) and max(xs) <= east and south <= min(ys) and max(ys) <= north
    assert max(xs) - min(xs) > (east - west) * 0.7 and max(ys) - min(ys) > (north - south) * 0.7


def test_rings_are_closed_and_turn_as_the_format_says() -> None:
    """Each ring ends where it began; outer rings turn against the clock and holes with it; Lesotho is a hole in South Africa."""
    for code in countries():
        if (outlines.geometry(code) or {})["type"] != "Point":
            for outer, *holes in polygons(code):
                assert outer[0] == outer[-1] and area(outer) > 0, code
                assert all(hole[0] == hole[-1] and area(hole) < 0 for hole in holes)
    assert len(polygons("ZA")[0]) == 2


def test_a_territory_without_an_outline_is_a_point() -> None:
    """Singapore is too small for an outline, and what is no country is nowhere."""
    assert outlines.geometry("SG") == {
        "type": "Point",
        "coordinates": [countries()["SG"].longitude, countries()["SG"].latitude],
    }
    assert outlines.geometry("QQ") is None and outlines.geometry(None) is None
