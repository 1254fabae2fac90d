"""The world map. Vega projects the outlines once; a map of a sweep is then these paths in other colours.

A drawing by Vega takes most of a second, and a site has hundreds of maps. Nothing is fetched.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from pipeline.publish import worldmap
from pipeline.publish.countries import countries
from pipeline.publish.data import Row
from pipeline.publish.drawing import LAND, PAPER, Size
from pipeline.publish.outlines import topology
from pipeline.publish.worldmap import HATCHED, NOTHING, Measure

#: The name of the outlines among the data of the drawing, and the code of the continent that is left out.
SHAPES, ANTARCTICA = "outlines", 10
WIDTH, HEIGHT = 900, 440
#: One decimal of a pixel is enough.
FINE = re.compile(r"(\.\d)\d+")
SHAPE = re.compile(r"<path\b[^>]*>")
#: The prefix of a country without an outline, among the marks of the drawing.
POINT = "at "
RADIUS = 3.6


@dataclass(frozen=True, slots=True)
class Outlines:
    """The paths of countries by numeric code (0: of none), and where countries without one are, by alpha-2 code.

    All paths are within `frame`: left, top, width and height.
    """

    paths: tuple[tuple[int, str], ...]
    places: dict[str, tuple[float, float]]
    frame: tuple[float, float, float, float]


@cache
def outlines() -> Outlines:
    """The outlines, drawn once by Vega."""
    import vl_convert

    drawn = vl_convert.vegalite_to_svg(_spec())
    paths: list[tuple[int, str]] = []
    places: dict[str, tuple[float, float]] = {}
    for mark in SHAPE.findall(drawn):
        about = dict(re.findall(r'([\w-]+)="([^"]*)"', mark))
        label = about.get("aria-label", "")
        if label.startswith(POINT):
            x, y = re.findall(r"-?[\d.]+", about["transform"])[:2]
            places[label.removeprefix(POINT)] = float(x), float(y)
        elif "d" in about and about.get("aria-roledescription") == "geoshape":
            paths.append((int(label) if label.isdigit() else 0, FINE.sub(r"\1", about["d"])))
    return Outlines(tuple(paths), places, _frame([path for _, path in paths]))


def _frame(paths: Sequence[str]) -> tuple[float, float, float, float]:
    """The box around paths, with room for the rim of a line."""
    ends = [(float(x), float(y)) for path in paths for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", path)]
    (left, right), (top, bottom) = ((min(side) - 1, max(side) + 1) for side in zip(*ends, strict=True))
    return left, top, right - left, bottom - top


def proportions(width: int) -> Size:
    """The size of a map of this width, without empty rims."""
    _, _, wide, high = outlines().frame
    return Size(width, round(width * high / wide), 14)


def _spec() -> dict[str, Any]:
    """Every outline with its numeric code as its description, and a mark at each country of the list."""
    import altair as alt

    shapes = alt.Chart(alt.NamedData(name=SHAPES, format=alt.TopoDataFormat(feature="countries", type="topojson")))
    land = (
        shapes.transform_filter(f"+datum.id != {ANTARCTICA}")
        .transform_calculate(numeric="isValid(datum.id) ? format(+datum.id, 'd') : '0'")
        .mark_geoshape()
        .encode(description="numeric:N")
    )
    dots = [
        {"label": f"{POINT}{code}", "longitude": each.longitude, "latitude": each.latitude}
        for code, each in countries().items()
    ]
    circles = alt.Chart(alt.InlineData(values=dots)).mark_circle().encode(
        longitude="longitude:Q", latitude="latitude:Q", description="label:N"
    )  # fmt: skip
    chart = alt.layer(land, circles).project("naturalEarth1").properties(width=WIDTH, height=HEIGHT, padding=0)
    made: dict[str, Any] = chart.configure_view(stroke=None).to_dict()
    # Not given to altair, which would copy their coordinates many times.
    made.setdefault("datasets", {})[SHAPES] = topology()
    return made


def draw(rows: Sequence[Row], measure: Measure, size: Size, key: str) -> str:
    """The map within a plot; `key` makes its hatch's name unique on a page."""
    known = {row["country"]: row for row in rows if row["country"] in countries()}
    colours = dict(measure.legend)
    hatch = f"hatch-{key}"
    by_number = {countries()[code].numeric: code for code in known}
    parts = [_hatch(hatch), f'<g transform="{_placed(size)}">']
    # One path, since a printed page has a picture of the hatch for each.
    unknown = "".join(path for numeric, path in outlines().paths if numeric not in by_number)
    parts.append(f'<path d="{unknown}" fill="url(#{hatch})" stroke="{PAPER}" stroke-width="0.5"/>')
    for numeric, path in outlines().paths:
        if code := by_number.get(numeric):
            fill = colours[measure.level(measure.value(known[code]))]
            label = f"<title>{escape(worldmap.label(known[code], measure))}</title>"
            parts.append(f'<path d="{path}" fill="{fill}" stroke="{PAPER}" stroke-width="0.5">{label}</path>')
    outlined = {numeric for numeric, _ in outlines().paths}
    for code, row in known.items():
        level = measure.level(measure.value(row))
        if countries()[code].numeric not in outlined and (level != NOTHING or row["services"]):
            x, y = outlines().places[code]
            title = f"<title>{escape(worldmap.label(row, measure))}</title>"
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS}" fill="{colours[level]}" stroke="{PAPER}" '
                f'stroke-width="0.5">{title}</circle>'
            )
    return "".join([*parts, "</g>"])


def _placed(size: Size) -> str:
    """The move and scale by which the outlines fill a plot, in its middle."""
    left, top, width, height = outlines().frame
    scale = min(size.width / width, size.height / height)
    x, y = (size.width - scale * width) / 2 - scale * left, -scale * top
    return f"translate({x:.1f} {y:.1f}) scale({scale:.4f})"


def legend(measure: Measure, hatch: str) -> list[tuple[str, str]]:
    """Label and fill of each class of a map; `hatch` is the key of its drawing."""
    return [(label, f"url(#hatch-{hatch})" if colour == HATCHED else colour) for label, colour in measure.legend]


def _hatch(key: str) -> str:
    """The pattern of countries that were not probed."""
    lines = f'<path d="M-1,1 l2,-2 M0,5 l5,-5 M4,6 l2,-2" stroke="{LAND}" stroke-width="1.2"/>'
    return f'<defs><pattern id="{key}" width="5" height="5" patternUnits="userSpaceOnUse">{lines}</pattern></defs>'
