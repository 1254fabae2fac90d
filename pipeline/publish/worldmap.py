"""The world map: services per country in five classes, drawn without a network; small territories are dots.

Colours are chosen so that a style sheet can replace them (`LAND`, `EDGE`, `INK`) for a dark page.
"""

import io
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from pipeline.publish.countries import REFERENCE, countries, name
from pipeline.publish.facts import Row

OUTLINES = REFERENCE / "countries-110m.json"
ANTARCTICA = 10
LAND, EDGE, INK = "#dfe3e8", "#fdfdfd", "#565d66"
WIDTH, HEIGHT = 900, 440
#: A screen reader is told of so many countries.
SPOKEN = 20
QUOTES = {chr(34): "&quot;"}

#: Lower end, label and colour of each class.
CLASSES = (
    (1000, "1,000 and more", "#08457e"),
    (100, "100–999", "#2171b5"),
    (10, "10–99", "#5ba3d0"),
    (1, "1–9", "#a9cce6"),
    (0, "none found", LAND),
)


def svg(rows: Iterable[Row], *, legend: bool = True) -> str:
    """The map as one SVG element, one image with its numbers as text to a screen reader; coordinates cut to a tenth of a pixel."""
    rows = list(rows)
    text = io.StringIO()
    _chart(rows, legend=legend).save(text, format="svg")
    drawn = re.sub(r' d="[^"]+"', lambda path: re.sub(r"(\.\d)\d+", r"\1", path[0]), text.getvalue())
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(_spoken(rows), QUOTES)}" ', 1)


def _spoken(rows: Sequence[Row]) -> str:
    """What a screen reader says of the map: the countries of most services, the table has the others."""
    counted = [row for row in rows if row["country"] in countries() and row["services"]]
    counted.sort(key=lambda row: -row["services"])
    told = "; ".join(f"{name(row['country'])}: {row['services']:,}" for row in counted[:SPOKEN])
    return f"World map of DICOM services per country. {told or 'None was found'}."


def png(rows: Iterable[Row]) -> bytes:
    """The map as a picture, on white."""
    data = io.BytesIO()
    _chart(rows, legend=True).properties(background="white").save(data, format="png", scale_factor=2)
    return data.getvalue()


def level(services: int) -> str:
    """The class of a count."""
    return next(label for least, label, _ in CLASSES if services >= least)


def _chart(rows: Iterable[Row], *, legend: bool) -> Any:
    """Outlines coloured by class, and dots for the countries that have none."""
    import altair as alt

    outlines = json.loads(OUTLINES.read_text("utf-8"))
    shapes = {int(shape["id"]) for shape in outlines["objects"]["countries"]["geometries"] if "id" in shape}
    points = [_point(row) for row in rows if row["country"] in countries() and row["services"]]
    filled = [point for point in points if point["numeric"] in shapes]
    dots = [point for point in points if point["numeric"] not in shapes]
    scale = alt.Scale(domain=[label for _, label, _ in CLASSES], range=[colour for *_, colour in CLASSES])
    key = alt.Legend(
        title="DICOM services", orient="bottom-left", labelColor=INK, titleColor=INK, labelFontSize=13, titleFontSize=13
    )
    colour = alt.Color("level:N", scale=scale, legend=key if legend else None, sort=None)
    land = (
        alt.Chart(alt.InlineData(values=outlines, format=alt.TopoDataFormat(feature="countries", type="topojson")))
        .transform_filter(f"+datum.id != {ANTARCTICA}")
        .transform_calculate(numeric="+datum.id")
        .transform_lookup(
            "numeric", alt.LookupData(alt.InlineData(values=filled), "numeric", ["level"]), default="none found"
        )
        .mark_geoshape(stroke=EDGE, strokeWidth=0.5)
        .encode(color=colour)
    )
    circles = alt.Chart(alt.InlineData(values=dots)).mark_circle(size=40, opacity=1, stroke=EDGE, strokeWidth=0.5)
    placed = circles.encode(longitude="longitude:Q", latitude="latitude:Q", color=colour)
    chart = alt.layer(land, placed) if dots else land
    sized = chart.project("naturalEarth1").properties(width=WIDTH, height=HEIGHT, background="transparent")
    return sized.configure_view(stroke=None)


def _point(row: Row) -> dict[str, Any]:
    country = countries()[row["country"]]
    where = {"longitude": country.longitude, "latitude": country.latitude}
    return {"numeric": country.numeric, "level": level(row["services"]), **where}


def write(rows: Iterable[Row], folder: Path) -> list[Path]:
    """Write `map.svg` and `map.png`."""
    rows = list(rows)
    vector, picture = folder / "map.svg", folder / "map.png"
    vector.write_text(svg(rows), "utf-8")
    picture.write_bytes(png(rows))
    return [vector, picture]
