"""The world map."""

import json

import pytest

from pipeline.publish import land, outlines, worldmap
from pipeline.publish.countries import countries
from pipeline.publish.drawing import LAND, Size


def row(country: str | None, services: int, per_million: float = 0) -> dict[str, object]:
    rates = {"per_million": per_million, "per_million_undoubted": per_million}
    return {"country": country, "services": services, "decoys": 0, **rates}


def drawn(rows: list[dict[str, object]], measure: worldmap.Measure = worldmap.SERVICES) -> str:
    return land.draw(rows, measure, Size(1100, 500, 14), "map")


def test_countries_are_coloured_and_small_ones_are_dots() -> None:
    """A country with an outline is filled, a small one is a dot; services that are not placed are not shown."""
    text = drawn([row("GB", 12), row("SG", 1), row(None, 5), row("FR", 0)])
    assert text.count(">United Kingdom: 12<") == text.count(">Singapore: 1<") == 1
    colours = dict(worldmap.SERVICES.legend)
    assert [text.count(f'fill="{colours[label]}"') for label in ("10–99", "1–9", "100–999")] == [1, 1, 0]


def test_a_map_of_rates_is_one_of_rates() -> None:
    """The second map shows addresses per million in colours and texts, whatever the counts are."""
    rows = [row("GB", 12, 0.26), row("DE", 1, 2500.4), row("US", 9, 4)]
    text = drawn(rows, worldmap.PER_MILLION)
    for label in ("United Kingdom: 0.260", "Germany: 2,500", "United States: 4"):
        assert text.count(f"<title>{label}</title>") == 1
    spoken = worldmap.spoken(rows, worldmap.PER_MILLION)
    assert "per million probed, by country. Germany: 2,500; United States: 4; United Kingdom: 0.260." in spoken


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
    rows = [row("GB", 12), row("FR", 0)]
    text, hatched = drawn(rows), 'fill="url(#hatch-map)"'
    assert text.count(">France: 0<") == 1 and text.count(f'fill="{LAND}"') == 1
    # One path for all of them: a printed page has a picture of the hatch for each path.
    assert text.count(hatched) == 1 and text.count("<path") < 6
    assert worldmap.HATCHED not in text and text.count('<pattern id="hatch-map"') == 1
    assert dict(land.legend(worldmap.SERVICES, "map"))["not probed"] == "url(#hatch-map)"
    assert "United Kingdom: 12. Countries probed: 2." in worldmap.spoken(rows, worldmap.SERVICES)


def test_decoys_stand_after_the_number_without_them() -> None:
    """A country is coloured by its services without likely decoys, and named with both numbers; withheld decoys stay in."""
    decoys = {"decoys": 110, "per_million_undoubted": 0.5}
    text = drawn([row("GB", 115, 12) | decoys, row("FR", 50) | {"decoys": None, "per_million_undoubted": None}])
    colours = dict(worldmap.SERVICES.legend)
    assert "<title>United Kingdom: 5 (115 with likely decoys)</title>" in text
    assert "<title>France: 50 with likely decoys</title>" in text
    assert [text.count(f'fill="{colours[label]}"') for label in ("100–999", "10–99", "1–9")] == [0, 1, 1]
    rates = drawn([row("GB", 115, 12) | decoys], worldmap.PER_MILLION)
    assert "<title>United Kingdom: 0.500 (12 with likely decoys)</title>" in rates
