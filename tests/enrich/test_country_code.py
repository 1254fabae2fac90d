"""Which codes are countries."""

import pytest

from pipeline.enrich.country_code import assigned, normalised

CODES = {
    "GB": "GB",
    "gb": "GB",
    "UK": "GB",
    "EL": "GR",
    "XK": "XK",
    "ZZ": None,
    "-": None,
    "EU": None,
    "AP": None,
    "": None,
    None: None,
}


@pytest.mark.parametrize(("written", "country"), CODES.items())
def test_a_code_is_a_country_or_none(written: str | None, country: str | None) -> None:
    """Codes are read in either case; UK and EL mean GB and GR; codes of regions, of unknown places and of nothing give none."""
    assert normalised(written) == country


def test_all_assigned_codes_are_countries() -> None:
    """The 249 codes of ISO 3166-1 and XK stay as they are."""
    assert len(assigned()) == 250 and {normalised(code) for code in assigned()} == assigned()
