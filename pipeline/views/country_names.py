"""View `country_names`, made from `data/reference/countries.csv`: what people call the countries that other views have by code."""

from collections.abc import Iterator
from functools import cache

from pipeline.views import reference_rows

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
    return reference_rows.select("countries.csv", COLUMNS, _literals)


def _literals(row: dict[str, str]) -> Iterator[str]:
    """The values of a row of the file as SQL."""
    for name in COLUMNS.values():
        yield f"{float(row[name])}::DOUBLE" if name in NUMBERS else reference_rows.quoted(row[name])
