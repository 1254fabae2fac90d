"""The world map."""

import json

import pytest

from pipeline.publish import outlines, worldmap
from pipeline.publish.countries import countries


def row(country: str | None, services: int, per_million: float = 0) -> dict[str, object]:
    return {"country": country, "services": services, "per_million": per_million}


def test_countries_are_coloured_and_small_ones_are_dots() -> None:
    """A country with an outline is filled, a small one is a dot; services that are not placed are not shown."""
    text = worldmap.svg([row("GB", 12), row("SG", 1), row(None, 5), row("FR", 0)], legend=False)
    assert text.count('aria-label="United Kingdom: 12"') == text.count('aria-label="Singapore: 1"') == 1
    colours = dict(worldmap.SERVICES.legend)
    assert [text.count(f'fill="{colours[label]}"') for label in ("10–99", "1–9", "100–999")] == [1, 1, 0]


def test_a_map_of_rates_is_one_of_rates() -> None:
    """The second map shows addresses per million in colours and texts, whatever the counts are."""
    text = worldmap.svg([row("GB", 12, 0.26), row("DE", 1, 2500.4), row("US", 9, 4)], worldmap.PER_MILLION)
    for told in ("United Kingdom: 0.260", "Germany: 2,500", "United States: 4"):
        assert text.count(f'aria-label="{told}"') == 1
    assert "per million probed, by country. Germany: 2,500; United States: 4; United Kingdom: 0.260." in text


def test_outlines_are_keyed_by_the_codes_we_use() -> None:
    """Each outline with a code belongs to a country of our list, so that no count is missing from the map."""
    shapes = json.loads(outlines.OUTLINES.read_text("utf-8"))["objects"]["countries"]["geometries"]
    numbers = {country.numeric for country in countries().values()}
    assert {int(shape["id"]) for shape in shapes if "id" in shape} <= numbers


@pytest.mark.parametrize(
    ("measure", "values", "labels"),
    [
        (
            worldmap.SERVICES,
            (0, 1, 9, 10, 999, 1000),
            ["none found", "1–9", "1–9", "10–99", "100–999", "1,000 and more"],
        ),
        (
            worldmap.PER_MILLION,
            (None, 0, 0.01, 1, 9.99, 10, 100),
            ["none found", "none found", "under 1", "1 to 10", "1 to 10", "10 to 100", "100 and more"],
        ),
    ],
)
def test_the_classes_meet(measure: worldmap.Measure, values: tuple[float | None, ...], labels: list[str]) -> None:
    """Every number has its class, each class begins at its stated limit, and each class has its own colour."""
    assert [measure.level(value) for value in values] == labels
    assert len({colour for _, colour in measure.legend}) == len(measure.legend) == 6


def test_what_was_not_probed_is_not_empty() -> None:
    """A probed country without a service is "none found"; every country that was not probed is hatched, in map and legend."""
    text = worldmap.svg([row("GB", 12), row("FR", 0)])
    assert text.count('aria-label="France: 0"') == 1 and text.count(f'fill="{worldmap.LAND}"') == 2
    assert text.count('fill="url(#map-not-probed)"') > 150 and worldmap.HATCHED not in text
    assert text.count('<pattern id="map-not-probed"') == 1 and ">not probed</text>" in text
    assert "United Kingdom: 12. Countries probed: 2." in text


def test_a_note_is_on_the_drawing() -> None:
    """A note becomes text on a drawing, and no note changes nothing."""
    drawing = "<svg><path/></svg>"
    assert worldmap.noted(drawing, None) == drawing
    assert worldmap.noted(drawing, "all hosts < simulated").endswith(">all hosts &lt; simulated</text></svg>")
