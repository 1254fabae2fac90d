"""View `country_names`."""

import duckdb

from pipeline.publish import countries
from pipeline.views import country_names


def test_every_country_has_a_row() -> None:
    """The view has each country of the reference data once, each with its own ISO codes, a region and a point."""
    rows = duckdb.connect().execute(country_names.sql()).fetchall()
    listed = countries.countries()
    assert {code: (name, latitude, longitude) for code, _, name, _, _, latitude, longitude in rows} == {
        code: (country.name, country.latitude, country.longitude) for code, country in listed.items()
    }
    assert len({iso3 for _, iso3, *_ in rows}) == len(rows) == len(listed)
    assert {region for _, _, _, region, *_ in rows} == {"Africa", "Americas", "Antarctica", "Asia", "Europe", "Oceania"}
    assert all(len(iso3) == 3 and iso3.isupper() and subregion for _, iso3, _, _, subregion, *_ in rows)
