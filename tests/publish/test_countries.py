"""Names of countries."""

from pipeline.enrich import geo
from pipeline.publish import countries


def test_every_country_of_the_database_has_a_name_and_a_place() -> None:
    """Each country code of the bundled database is known, with a point on the globe."""
    table = countries.countries()
    assert {name for name in geo.load().names if name} <= table.keys() and len(table) == 250
    assert all(abs(country.latitude) <= 90 and abs(country.longitude) <= 180 for country in table.values())


def test_numeric_codes_are_unique() -> None:
    """No two countries share an ISO numeric code; only Kosovo has none."""
    numbers = [country.numeric for country in countries.countries().values()]
    assert len(set(numbers)) == len(numbers) and numbers.count(None) == 1


def test_codes_with_an_article_exist() -> None:
    """Each country with an article is known; an unknown code is shown as it is, and any other text is not shown."""
    assert countries.countries().keys() >= countries.WITH_ARTICLE
    assert [countries.in_sentence(code) for code in ("GB", "FR", "QQ", "<b>", None)] == [
        "the United Kingdom",
        "France",
        "QQ",
        "a country with an unknown code",
        "no known country",
    ]
