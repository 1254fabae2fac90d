"""The report's figures again, as plain SVG, in plain Python: part of every bundle."""

import json
import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 40, 40
INK, LINE, BAND, DOWN, LAND = "#333b44", "#2171b5", "#9ec5e3", "#b5542b", "#dfe3e8"
#: The smallest value of each class of a map, and its colour.
CLASSES = ((1000, "#08457e"), (100, "#2171b5"), (10, "#5ba3d0"), (1, "#a9cce6"))
#: The polynomials of the projection Natural Earth (Šavrič, Jenny, Patterson, Petrovič and Hurni 2011).
PARALLELS = (0.8707, -0.131979, -0.013791, 0.003971, -0.001529)
LENGTHS = (1.007226, 0.015085, -0.044475, 0.028874, -0.005916)
Point = tuple[datetime, float, float, float]
Ring = list[tuple[float, float]]


def trend(points: Sequence[Point], title: str) -> str:
    """Counts over time, each with its interval as a bar."""
    top = max((high for _, _, _, high in points), default=1.0) or 1.0
    places = list(_places([at for at, *_ in points]))
    parts = list(_axes([at for at, *_ in points], places, 0, top))
    for x, (_, value, low, high) in zip(places, points, strict=True):
        parts.append(
            f'<path d="M{x:.1f},{_y(low, 0, top):.1f} V{_y(high, 0, top):.1f}" stroke="{BAND}" stroke-width="6"/>'
        )
        parts.append(f'<circle cx="{x:.1f}" cy="{_y(value, 0, top):.1f}" r="4" fill="{LINE}"/>')
    return _svg(title, [*parts, _text(LEFT, HEIGHT - 6, "Counts; bars are 95 % intervals where loss was measured.")])


def turnover(pairs: Sequence[tuple[datetime, int, int]], title: str) -> str:
    """For each sweep a bar up for services that appeared, and one down for those that disappeared."""
    top = max((max(came, went) for _, came, went in pairs), default=1) or 1
    places = list(_places([at for at, *_ in pairs]))
    parts = list(_axes([at for at, *_ in pairs], places, -top, top))
    for x, (_, came, went) in zip(places, pairs, strict=True):
        for value, colour in ((came, LINE), (-went, DOWN)):
            high, low = sorted((_y(value, -top, top), _y(0, -top, top)))
            parts.append(f'<rect x="{x - 6:.1f}" y="{high:.1f}" width="12" height="{low - high:.1f}" fill="{colour}"/>')
    return _svg(title, [*parts, _text(LEFT, HEIGHT - 6, "Up: new or returned. Down: missing. Loss is not taken out.")])


def bars(values: Sequence[tuple[str, float]], title: str) -> str:
    """A bar for each name, with its number."""
    longest, row = max(value for _, value in values) or 1, (HEIGHT - TOP - 10) / len(values)
    parts = []
    for number, (label, value) in enumerate(values):
        y, width = TOP + number * row, value / longest * (WIDTH - 260)
        parts.append(f'<rect x="200" y="{y:.1f}" width="{width:.1f}" height="{0.8 * row:.1f}" fill="{LINE}"/>')
        parts += [_text(10, y + 0.6 * row, label), _text(206 + width, y + 0.6 * row, f"{value:,}")]
    return _svg(title, parts)


def world(outlines: Path, values: dict[int, float | None], title: str) -> str:
    """A map: countries by their numeric codes, coloured by class; those that were not probed are not in `values`."""
    shapes = json.loads(outlines.read_text("utf-8"))
    arcs = [_decoded(arc, shapes["transform"]) for arc in shapes["arcs"]]
    parts = []
    for shape in shapes["objects"]["countries"]["geometries"]:
        code = int(shape.get("id", -1))
        if code == 10:  # Antarctica
            continue
        value = values.get(code)
        fill = next((colour for least, colour in CLASSES if value and value >= least), LAND)
        path = "".join(_path(ring) for ring in _rings(shape, arcs))
        style = f'fill="{fill}"' if code in values else f'fill="none" stroke="{LAND}" stroke-dasharray="2"'
        parts.append(f'<path d="{path}" {style}/>')
    return _svg(title, [*parts, _text(LEFT, HEIGHT - 6, "From 1, 10, 100, 1,000 on. Dashed: not probed.")])


def _decoded(arc: list[list[int]], transform: dict[str, Any]) -> Ring:
    """The points of an arc: TopoJSON has differences of whole numbers."""
    x = y = 0
    points = []
    for dx, dy in arc:
        x, y = x + dx, y + dy
        points.append(
            tuple(n * s + t for n, s, t in zip((x, y), transform["scale"], transform["translate"], strict=True))
        )
    return points


def _rings(shape: dict[str, Any], arcs: list[Ring]) -> Iterator[Ring]:
    """The rings of a country, each made of arcs; a negative number is an arc from its end."""
    polygons = [shape["arcs"]] if shape["type"] == "Polygon" else shape["arcs"]
    for polygon in polygons:
        for ring in polygon:
            yield [point for number in ring for point in (arcs[number] if number >= 0 else arcs[~number][::-1])]


def _path(ring: Ring) -> str:
    return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in map(_projected, ring)) + "Z"


def _projected(point: tuple[float, float]) -> tuple[float, float]:
    """Longitude and latitude on the page."""
    longitude, latitude = map(math.radians, point)
    p = latitude * latitude
    q = p * p
    a, b, c, d, e = PARALLELS
    x = longitude * (a + p * b + q * (c + q * (p * d + q * e)))
    a, b, c, d, e = LENGTHS
    y = latitude * (a + p * (b + q * (c + p * d + q * e)))
    return WIDTH / 2 + 104 * x, HEIGHT / 2 + 10 - 92 * y


def _places(times: Sequence[datetime]) -> Iterator[float]:
    """Where times are from left to right."""
    first, last = min(times).timestamp(), max(times).timestamp()
    for at in times:
        part = (at.timestamp() - first) / (last - first) if last > first else 0.5
        yield LEFT + 20 + part * (WIDTH - LEFT - RIGHT - 40)


def _y(value: float, bottom: float, top: float) -> float:
    return HEIGHT - BOTTOM - (value - bottom) / (top - bottom) * (HEIGHT - TOP - BOTTOM)


def _axes(times: Sequence[datetime], places: Sequence[float], bottom: float, top: float) -> Iterator[str]:
    """The ends of the scale, zero, and the first and the last date."""
    for value in sorted({bottom, 0, top}):
        y = _y(value, bottom, top)
        yield f'<path d="M{LEFT},{y:.1f} H{WIDTH - RIGHT}" stroke="{INK}" stroke-width="0.3"/>'
        yield _text(LEFT - 8, y + 4, f"{abs(value):,.0f}", "end")
    for number in sorted({0, len(times) - 1}):
        yield _text(places[number], HEIGHT - 22, f"{times[number]:%Y-%m-%d}", "middle")


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    font = 'font-family="sans-serif" font-size="12"'
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{INK}" {font}>{escape(text)}</text>'


def _svg(title: str, parts: Sequence[str]) -> str:
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    heading = f'<text x="{LEFT}" y="20" fill="{INK}" font-family="sans-serif" font-size="15">{escape(title)}</text>'
    white = '<rect width="100%" height="100%" fill="#ffffff"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>{escape(title)}</title>'
    return "".join([head, white, heading, *parts, "</svg>"])
