"""View `country_names`, made from `data/reference/countries.csv`: what people call the countries that other views have by code."""

import csv
from functools import cache

from pipeline import checkout

#: Column of the view → column of the file.
COLUMNS = {
    "country": "alpha2",
    "iso3": "alpha3",
    "country_name": "name",
    "region": "region",
    "subregion": "subregion",
    "latitude": "latitude",
    "longitude": "longitude",
}
NUMBERS = ("latitude", "longitude")
COMMENT = """Question: What are the countries called, and where are they?
Grain: one row for each (country).
Notes: ISO 3166-1, and XK. Names are the usual English ones; region and subregion are those of UN M49. The point is for a dot on a
map. Join it by country: countries LEFT JOIN country_names USING (country)."""


@cache
def sql() -> str:
    """The rows of the view, as a SELECT over constants."""
    with (checkout.REFERENCE / "countries.csv").open(encoding="utf-8", newline="") as file:
        rows = ",\n    ".join(_row(row) for row in csv.DictReader(file))
    return f"SELECT * FROM (\n    VALUES\n    {rows}\n) AS listed ({', '.join(COLUMNS)})"


def _row(row: dict[str, str]) -> str:
    """A row of the file as SQL."""
    values = (f"{float(row[name])}::DOUBLE" if name in NUMBERS else _quoted(row[name]) for name in COLUMNS.values())
    return f"({', '.join(values)})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
