"""The rows of a query as GeoJSON (RFC 7946): a feature each, at the outline of the row's country."""

import json
from typing import IO

import pyarrow as pa

from pipeline.console.result_formats import Row, rows
from pipeline.publish import countries, outlines

#: The column that says where a row is.
COUNTRY = "country"


def write(table: pa.Table, out: IO[bytes]) -> None:
    """Write a FeatureCollection. Raises pa.ArrowInvalid if no column is the country's code."""
    if COUNTRY not in table.column_names:
        raise pa.ArrowInvalid(
            f"geojson needs a column {COUNTRY!r} with ISO codes of two letters, as view `countries` has"
        )
    features = [_feature(row) for row in rows(table)]
    out.write(json.dumps({"type": "FeatureCollection", "features": features}).encode() + b"\n")


def _feature(row: Row) -> Row:
    """A row with its place; without one if its country is unknown."""
    code = row[COUNTRY]
    named = {"country_name": countries.name(code) if isinstance(code, str) else None}
    return {"type": "Feature", "geometry": outlines.geometry(code), "properties": row | named}
