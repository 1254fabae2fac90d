"""The outlines of countries as GeoJSON (RFC 7946), from the TopoJSON of `data/reference/countries-110m.json`.

A territory without an outline is a point. TopoJSON stores each border once, as an arc of differences of whole numbers.
"""

import json
from collections.abc import Iterable
from functools import cache
from itertools import accumulate, pairwise
from typing import Any

from pipeline.publish.countries import REFERENCE, Country, countries

OUTLINES = REFERENCE / "countries-110m.json"
#: Degrees are rounded to this many decimals, some 100 m; the outlines are coarser.
DECIMALS = 3

Position = tuple[float, float]


@cache
def topology() -> dict[str, Any]:
    """The countries' borders, as TopoJSON."""
    outlines: dict[str, Any] = json.loads(OUTLINES.read_text("utf-8"))
    return outlines


def geometry(alpha2: str | None) -> dict[str, Any] | None:
    """The outline of a country, or a point in it; None for what is no country."""
    country = countries().get(alpha2 or "")
    if country is None:
        return None
    shape = _shapes().get(country.numeric) if country.numeric is not None else None
    return _outline(shape) if shape else _point(country)


def _point(country: Country) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [country.longitude, country.latitude]}


@cache
def _shapes() -> dict[int, Any]:
    """Each country's shape by its numeric code."""
    return {int(shape["id"]): shape for shape in topology()["objects"]["countries"]["geometries"] if "id" in shape}


def _outline(shape: dict[str, Any]) -> dict[str, Any]:
    """A shape of arcs as one of positions."""
    if shape["type"] == "Polygon":
        return {"type": "Polygon", "coordinates": _polygon(shape["arcs"])}
    polygons = (_polygon(polygon) for polygon in shape["arcs"])
    return {"type": "MultiPolygon", "coordinates": [polygon for polygon in polygons if _area(polygon[0])]}


def _polygon(rings: Iterable[list[int]]) -> list[list[Position]]:
    """A polygon's rings: the outer one against the clock, holes with it (RFC 7946, 3.1.6)."""
    outer, *holes = (_ring(arcs) for arcs in rings)
    return [_turned(outer, against_the_clock=True), *(_turned(hole, against_the_clock=False) for hole in holes)]


def _ring(arcs: Iterable[int]) -> list[Position]:
    """Arcs joined: each begins where the one before ends; ~n is arc n backwards."""
    ring: list[Position] = []
    for number in arcs:
        arc = _arcs()[number] if number >= 0 else _arcs()[~number][::-1]
        ring += arc[1:] if ring else arc
    return ring


def _turned(ring: list[Position], *, against_the_clock: bool) -> list[Position]:
    return ring if (_area(ring) > 0) == against_the_clock else ring[::-1]


def _area(ring: list[Position]) -> float:
    """Twice the area of a ring, positive if it turns against the clock; 0 for an island that rounding has made a point."""
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(ring))


@cache
def _arcs() -> list[list[Position]]:
    """Every arc as longitudes and latitudes."""
    transform = topology()["transform"]
    (scale_x, scale_y), (x, y) = transform["scale"], transform["translate"]
    return [
        [
            (round(longitude * scale_x + x, DECIMALS), round(latitude * scale_y + y, DECIMALS))
            for longitude, latitude in zip(*(accumulate(steps) for steps in zip(*arc, strict=True)), strict=True)
        ]
        for arc in topology()["arcs"]
    ]
