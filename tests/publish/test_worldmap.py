"""The world map."""

import json

from pipeline.publish import worldmap
from pipeline.publish.countries import countries


def row(country: str | None, services: int) -> dict[str, object]:
    return {"country": country, "services": services}


def test_countries_are_coloured_and_small_ones_are_dots() -> None:
    """A country with an outline is filled by its class, one without is a dot, one unplaced is not drawn."""
    text = worldmap.svg([row("GB", 12), row("SG", 1), row(None, 5), row("FR", 0)])
    assert text.count('aria-label="level: 10–99"') == 1
    assert "longitude: 103.8; latitude: 1.4; level: 1–9" in text
    assert text.count('aria-label="level: ') == text.count('aria-label="level: none found"') + 1


def test_outlines_are_keyed_by_the_codes_we_use() -> None:
    """Each outline with a code belongs to a country of our list, so that no count is lost between the two."""
    shapes = json.loads(worldmap.OUTLINES.read_text("utf-8"))["objects"]["countries"]["geometries"]
    numbers = {country.numeric for country in countries().values()}
    assert {int(shape["id"]) for shape in shapes if "id" in shape} <= numbers


def test_the_classes_meet() -> None:
    """Every count has its class, and classes change where they say."""
    assert [worldmap.level(n) for n in (0, 1, 9, 10, 999, 1000)] == [
        "none found",
        "1–9",
        "1–9",
        "10–99",
        "100–999",
        "1,000 and more",
    ]
