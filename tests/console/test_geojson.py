"""Rows of countries as GeoJSON."""

import io
import json

import pyarrow as pa
import pytest

from pipeline.console import geojson


def test_a_row_is_a_feature() -> None:
    """Each row is a feature with all its columns and its name, at its country's outline or point; a row of no country is nowhere."""
    out = io.BytesIO()
    geojson.write(pa.table({"country": ["GB", "SG", None, "QQ"], "services": [56, 4, 3, 1]}), out)
    told = json.loads(out.getvalue())
    assert told["type"] == "FeatureCollection"
    kinds = [(feature["geometry"] or {}).get("type") for feature in told["features"]]
    assert kinds == ["MultiPolygon", "Point", None, None]
    assert [feature["properties"] for feature in told["features"]] == [
        {"country": "GB", "services": 56, "country_name": "United Kingdom"},
        {"country": "SG", "services": 4, "country_name": "Singapore"},
        {"country": None, "services": 3, "country_name": None},
        {"country": "QQ", "services": 1, "country_name": "QQ"},
    ]


def test_it_needs_a_country() -> None:
    """Rows without a column `country` are refused."""
    with pytest.raises(pa.ArrowInvalid, match="needs a column 'country'"):
        geojson.write(pa.table({"services": [1]}), io.BytesIO())
