"""What a report says of rates, concentration, the age of software, services that stayed, and two databases."""

from dataclasses import replace
from typing import Any

import pytest

from pipeline.publish import cells, structure
from pipeline.publish.disclosure import disclosed
from pipeline.publish.scope import Scope
from pipeline.publish.withheld_facts import ACCEPTING, DECOYS, Withheld
from tests.publish import demo
from tests.publish.history import gathered

LAST = "20260629T030000Z-weekly"


def test_each_has_a_sentence() -> None:
    """A series with a second database has all five sentences, with both numbers where there are decoys."""
    said = list(structure.sentences(gathered(LAST)))
    assert said[0] == (
        "Without likely decoys, addresses with a DICOM service are 6,206 per million that a network announces (8,210 with likely "
        "decoys) and 400,631 per million that answered on a port that was probed (529,968 with likely decoys). An announced address "
        "may be unused."
    )
    assert said[1].startswith(
        "Of 133 services without likely decoys, the commonest configuration is that of 16.5 %, the ten commonest of 100.0 %. They "
        "are as concentrated as if 3.3 networks had equally many; without the largest network 82 would be left."
    )
    assert "declare a version whose release date is known" in said[2]
    assert said[3].startswith(
        "Of 168 services that the previous sweep saw too, at the same address and port, none began to accept"
    )
    assert said[4].startswith(
        "By two geolocation databases there are 86 services in the United States, 48 to 54 services in the United Kingdom, and "
        "31 to 37 services in Germany."
    )
    assert len(said) == 5


def test_a_country_has_its_own() -> None:
    """The edition of a country has its own numbers, and no row of all countries."""
    facts = gathered(LAST, Scope(country="GB"))
    said = " ".join(structure.sentences(facts))
    assert "Of 42 services without likely decoys" in said and "Of 50 services that the previous sweep saw" in said
    assert [row["country"] for row in structure.concentration(facts)] == ["GB"]


def test_sections_without_rows_are_left_out() -> None:
    """A single sweep with neither a network database nor a second one has no table of rates announced, bounds or stayers."""
    facts = demo.gathered()
    shown = {table.mart for table in cells.tables(facts)}
    assert "stayers" not in shown and "country_bounds" not in shown
    assert "announce" not in " ".join(structure.sentences(facts))
    headings = [heading.text for heading in cells.table(facts, "rates").headings]
    assert "Addresses that answered" in headings and not [text for text in headings if "announced" in text.lower()]


def stayed(country: str | None, stayed: int, opened: int, *, of_all: bool = False) -> dict[str, Any]:
    none = dict.fromkeys(("closed", "renewed", "replaced", "tls_adopted"), 0)
    return {"of_all": of_all, "country": country, "stayed": stayed, "opened": opened} | none


@pytest.mark.parametrize(("french", "shown"), [(3, [12, None, None, 30, 0]), (9, [12, 9, 9, 30, 0])])
def test_nothing_follows_from_the_row_of_all(french: int, shown: list[int | None]) -> None:
    """Where one country's number is too small to be shown, the smallest other one is withheld with it."""
    rows = [
        stayed(None, 500, 12, of_all=True), stayed("FR", 50, french), stayed("DE", 100, 9), stayed("US", 200, 30),
        stayed("NL", 20, 0),
    ]  # fmt: skip
    assert [row["opened"] for row in disclosed("stayers", rows, 5, edition=False)] == shown


def test_three_vantages_give_a_bound() -> None:
    """The sentence of three vantages says at least, from how many places, and what is in no number; two vantages have none."""
    facts = gathered(LAST)
    assert "vantages that began" not in " ".join(structure.sentences(facts))
    row = {"sweep": facts.sweep, "places": 3, "seen_any": 400, "seen_once": 40, "seen_by_two": 30, "bound_low": 409}
    marts = facts.marts | {"vantage_bounds": replace(facts.marts["vantage_bounds"], rows=(row,))}
    (said,) = [each for each in structure.sentences(replace(facts, marts=marts)) if "vantages" in each]
    assert said.startswith("3 vantages that began within an hour saw 400 services, 40 of them from one place alone. ")
    assert "at least 409" in said and "no vantage can reach" in said


def test_the_age_of_what_is_declared() -> None:
    """The sentence has how many versions have a date, their median age, and the share of old ones; and it says what that is not."""
    (said,) = [each for each in structure.sentences(gathered(LAST)) if "release date" in each]
    assert said == (
        "Of 133 services without likely decoys, 63 declare a version whose release date is known: the median age of these versions "
        "is 4.2 years, and 23 (36.5 %, 95 % interval 25.7 % to 48.9 %) are older than five years. What is declared is often a library "
        "inside a product, and vendors mend programs without a new version: an old version need not be an unpatched one."
    )


def aged(country: str | None, undoubted: int, dated: int, older: int, *, of_all: bool = False) -> dict[str, Any]:
    """A row of `software_ages`, without decoys."""
    shares = {"older_share": older / dated, "older_share_low": 0.1, "older_share_high": 0.9}
    counts = {"services": undoubted, "undoubted": undoubted, "dated": dated, "undated": undoubted - dated}
    return {"of_all": of_all, "country": country, **counts, "median_age": 4.0, "older": older, **shares}


def test_few_dated_and_few_old_services_are_withheld() -> None:
    """Too few services of a known date, of an unknown one or of an old version are in no column, nor in the total less the others."""
    rows = [
        aged(None, 520, 410, 121, of_all=True), aged("FR", 60, 58, 20), aged("DE", 100, 60, 3), aged("US", 300, 250, 80),
        aged("GB", 60, 42, 18),
    ]  # fmt: skip
    shown = {row["country"]: row for row in disclosed("software_ages", rows, 5, edition=False)}
    assert [shown["FR"][column] for column in ("dated", "undated", "median_age", "older", "older_share")] == [None] * 5
    assert [shown["DE"][column] for column in ("dated", "older", "older_share", "older_share_low")] == [
        60,
        None,
        None,
        None,
    ]
    assert [shown["GB"][column] for column in ("undoubted", "dated", "undated", "older")] == [60, None, None, None]
    assert [shown["US"][column] for column in ("dated", "older")] == [250, 80] and shown[None]["dated"] == 410


def test_ages_are_withheld_with_decoys_and_answers() -> None:
    """Where it is withheld what is a decoy, no count without decoys is shown; where who accepts, none of those who declare."""
    rows = [aged("FR", 60, 40, 20) | {"sweep": "s1"}, aged("DE", 100, 60, 30) | {"sweep": "s1"}]
    hidden = Withheld({("s1", "FR"): frozenset({DECOYS}), ("s1", "DE"): frozenset({ACCEPTING})})
    french, german = disclosed("software_ages", rows, 5, edition=False, hidden=hidden)
    assert {column for column, value in french.items() if value is not None} == {
        "sweep",
        "of_all",
        "country",
        "services",
    }
    assert german["undoubted"] == 100 and german["dated"] is None and german["undated"] is None
