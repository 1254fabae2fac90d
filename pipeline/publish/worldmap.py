"""The world maps: services per country, and addresses with a service per million probed, in classes. No network is used.

Countries without an address in the target space are hatched; small territories are dots. Colours are chosen so that a style
sheet can replace them (`LAND`, `EDGE`, `INK`) for a dark page.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from pipeline import host
from pipeline.publish.countries import countries, name
from pipeline.publish.data import Row
from pipeline.publish.outlines import topology
from pipeline.publish.wording import number

#: The name of the outlines among the data of a chart.
SHAPES = "outlines"
ANTARCTICA = 10
LAND, EDGE, INK = "#dfe3e8", "#fdfdfd", "#565d66"
WIDTH, HEIGHT = 900, 440
#: The number of countries in the text for screen readers.
SPOKEN = 20
BACKGROUND = '<rect width="100%" height="100%" fill="white"/>'
QUOTES = {chr(34): "&quot;"}
NOTHING, NOT_PROBED = "none found", "not probed"
#: Stands for the hatch of `NOT_PROBED` until the map is drawn.
HATCHED = "#f1f3f5"
#: From many to none; then for countries without an address in the target space.
COLOURS = ("#08457e", "#2171b5", "#5ba3d0", "#a9cce6", LAND, HATCHED)


@dataclass(frozen=True, slots=True)
class Measure:
    """What a map shows of a country: a column of mart `countries`, its titles, and its classes.

    `classes` has the smallest value of each class and its label, the greatest first; a value below all of them is `NOTHING`.
    """

    file: str
    column: str
    choice: str
    title: str
    note: str
    classes: tuple[tuple[float, str], ...]

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Label and colour of each class, and of the countries that were not probed."""
        return list(zip([*(label for _, label in self.classes), NOTHING, NOT_PROBED], COLOURS, strict=True))

    @property
    def hatch(self) -> str:
        """The pattern of countries that were not probed, as a fill."""
        return f"url(#{self.file}-{NOT_PROBED.replace(' ', '-')})"

    def hatched(self, drawn: str) -> str:
        """A drawing in which the pattern replaces its colour."""
        name = self.hatch.removeprefix("url(#").removesuffix(")")
        lines = f'<path d="M-1,1 l2,-2 M0,5 l5,-5 M4,6 l2,-2" stroke="{LAND}" stroke-width="1.2"/>'
        pattern = f'<pattern id="{name}" width="5" height="5" patternUnits="userSpaceOnUse">{lines}</pattern>'
        start, end, rest = drawn.partition(">")
        return f"{start}{end}<defs>{pattern}</defs>{rest.replace(HATCHED, self.hatch)}"

    def level(self, value: float | None) -> str:
        """The class of a value."""
        return next((label for minimum, label in self.classes if value and value >= minimum), NOTHING)


SERVICES = Measure(
    "map", "services", "Services", "DICOM services",
    "Services per country. Hatched: no address was probed. Territories too small for an outline are dots.",
    ((1000, "1,000 and more"), (100, "100–999"), (10, "10–99"), (1, "1–9")),
)  # fmt: skip
PER_MILLION = Measure(
    "map-per-million", "per_million", "Per million addresses", "Addresses with a DICOM service, per million probed",
    "Addresses with a service per million probed in the country. Hatched: no address was probed. Where few were probed, one more or "
    "less makes a large difference.",
    ((100, "100 and more"), (10, "10 to 100"), (1, "1 to 10"), (0, "under 1")),
)  # fmt: skip
MEASURES = (SERVICES, PER_MILLION)


def drawable() -> bool:
    """Whether the packages of the extra `plots` are installed: without them there is no map, and no picture."""
    return find_spec("altair") is not None and find_spec("vl_convert") is not None


def svg(rows: Iterable[Row], measure: Measure = SERVICES, *, legend: bool = True) -> str:
    """The map as one SVG element, one image with its numbers as text to a screen reader; coordinates cut to a tenth of a pixel."""
    import vl_convert

    rows = list(rows)
    text = vl_convert.vegalite_to_svg(spec(_chart(rows, measure, legend=legend)))
    drawn = measure.hatched(re.sub(r' d="[^"]+"', lambda path: re.sub(r"(\.\d)\d+", r"\1", path[0]), text))
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(spoken(rows, measure), QUOTES)}" ', 1)


def drawings(rows: Iterable[Row]) -> list[tuple[Measure, str]]:
    """Each measure and its map for the page."""
    rows = list(rows)
    return [(measure, svg(rows, measure, legend=False)) for measure in MEASURES]


def spoken(rows: Sequence[Row], measure: Measure) -> str:
    """The text of the map for screen readers: the countries with the greatest numbers; the table has the others."""
    probed = sum(row["country"] in countries() for row in rows)
    counted = sorted(_shown(rows, measure), key=lambda row: -row[measure.column])
    values = "; ".join(_label(row, measure) for row in counted[:SPOKEN])
    return f"World map. {measure.title}, by country. {values or 'None was found'}. Countries probed: {number(probed)}."


def _label(row: Row, measure: Measure) -> str:
    return f"{name(row['country'])}: {value(row, measure)}"


def value(row: Row, measure: Measure) -> str:
    """What a map shows of a country, as text."""
    return number(row[measure.column])


def _shown(rows: Iterable[Row], measure: Measure) -> Iterator[Row]:
    """The countries that can be drawn, with something to show."""
    return (row for row in rows if row["country"] in countries() and row["services"] and row[measure.column])


def png(drawn: str) -> bytes:
    """A map as a picture, on white."""
    import vl_convert

    data: bytes = vl_convert.svg_to_png(drawn.replace("</defs>", f"</defs>{BACKGROUND}", 1), scale=2)
    return data


def spec(chart: Any) -> dict[str, Any]:
    """The chart as Vega-Lite expects it. The outlines are added here, since altair would copy their coordinates many times."""
    made: dict[str, Any] = chart.to_dict()
    made.setdefault("datasets", {})[SHAPES] = topology()
    return made


def _chart(rows: Iterable[Row], measure: Measure, *, legend: bool) -> Any:
    """Outlines coloured by class, and dots for the countries that have none."""
    import altair as alt

    shapes = {int(shape["id"]) for shape in topology()["objects"]["countries"]["geometries"] if "id" in shape}
    points = [_point(row, measure) for row in rows if row["country"] in countries()]
    filled = [point for point in points if point["numeric"] in shapes]
    dots = [point for point in points if point["numeric"] not in shapes and point["level"] != NOTHING]
    labels, colours = zip(*measure.legend, strict=True)
    scale = alt.Scale(domain=labels, range=colours)
    key = alt.Legend(
        title=measure.title,
        orient="bottom-left",
        labelColor=INK,
        titleColor=INK,
        labelFontSize=13,
        titleFontSize=13,
        titleLimit=400,
    )
    colour = alt.Color("level:N", scale=scale, legend=key if legend else None, sort=None)
    land = (
        alt.Chart(alt.NamedData(name=SHAPES, format=alt.TopoDataFormat(feature="countries", type="topojson")))
        .transform_filter(f"+datum.id != {ANTARCTICA}")
        .transform_calculate(numeric="+datum.id")
        .transform_lookup(
            "numeric", alt.LookupData(alt.InlineData(values=filled), "numeric", ["level", "label"]), default=NOT_PROBED
        )
        .mark_geoshape(stroke=EDGE, strokeWidth=0.5)
        .encode(color=colour, description="label:N")
    )
    circles = alt.Chart(alt.InlineData(values=dots)).mark_circle(size=40, opacity=1, stroke=EDGE, strokeWidth=0.5)
    placed = circles.encode(longitude="longitude:Q", latitude="latitude:Q", color=colour, description="label:N")
    chart = alt.layer(land, placed) if dots else land
    sized = chart.project("naturalEarth1").properties(width=WIDTH, height=HEIGHT, background="transparent")
    return sized.configure_view(stroke=None)


def _point(row: Row, measure: Measure) -> dict[str, Any]:
    country = countries()[row["country"]]
    where = {"longitude": country.longitude, "latitude": country.latitude}
    drawn = {"level": measure.level(row[measure.column]), "label": _label(row, measure)}
    return {"numeric": country.numeric} | drawn | where


def noted(drawing: str, note: str | None) -> str:
    """A drawing, of a map or a figure, with a note at its upper left."""
    if not note:
        return drawing
    text = f'<text x="8" y="18" fill="{INK}" font-size="14" font-family="sans-serif">{escape(note)}</text>'
    before, end, after = drawing.rpartition("</svg>")
    return f"{before}{text}{end}{after}"


def write(rows: Iterable[Row], folder: Path, note: str | None = None) -> list[Path]:
    """Write each map as SVG and PNG, with a note on it: `map` and `map-per-million`."""
    rows, written = list(rows), []
    for measure in MEASURES:
        vector, picture = folder / f"{measure.file}.svg", folder / f"{measure.file}.png"
        drawing = noted(svg(rows, measure), note)
        host.write_result(vector, drawing)
        host.write_result(picture, png(drawing))
        written += [vector, picture]
    return written
