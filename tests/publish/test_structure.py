"""What a report says of rates, concentration, the age of software, services that stayed, and two databases."""

from dataclasses import replace
from typing import Any

import pytest

from pipeline.publish import cells, structure
from pipeline.publish.companion_findings import TOTAL
from pipeline.publish.data import Row
from pipeline.publish.disclosure import disclosed
from pipeline.publish.publishable import publishable
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


def seen(country: str | None, vantage: str, counts: tuple[int | None, int | None, int | None], **more: Any) -> Row:
    """A row of mart `visibility`: services that any vantage saw, those that this one saw, and those that it alone missed."""
    every, visible, alone = counts
    share = None if visible is None or every is None else visible / every
    shares = dict.fromkeys(("visible_share", "visible_low", "visible_high", "design_effect"), share)
    row = {
        "of_all": country is None,
        "country": country,
        "vantage_name": vantage,
        "seen_any": every,
        "visible": visible,
    }
    return row | {"missed_alone": alone} | shares | more


def test_what_each_vantage_saw_is_told() -> None:
    """The sentence names each vantage that probed the sample; the table has all countries first, and each that shows a number."""
    facts = gathered(LAST)
    rows = (
        seen("GB", "one", (20, 20, 0)), seen("GB", "two", (20, 10, 10)),
        seen("DE", "one", (3, None, None)), seen("DE", "two", (3, None, None)),
        seen(None, "one", (40, 40, 0)), seen(None, "two", (40, 30, 10), visible_low=0.6, visible_high=0.86),
        seen(None, "three", (40, None, None)),
    )  # fmt: skip
    marts = facts.marts | {"visibility": replace(facts.marts["visibility"], rows=rows)}
    facts = replace(facts, marts=marts)
    (said,) = [each for each in structure.sentences(facts) if "vantage" in each]
    assert said == (
        "In a random sample of the addresses that each vantage probed, any of them saw 40 services without likely decoys: one saw "
        "100.0 % (95 % interval 100.0 % to 100.0 %) and alone missed 0; two saw 75.0 % (95 % interval 60.0 % to 86.0 %) and "
        "alone missed 10. What is missed may block the vantage, or be lost on the way once."
    )
    shown = [(row["country"], row["vantage_name"]) for row in structure.visibility(facts)]
    assert shown == [*((TOTAL, name) for name in ("one", "three", "two")), ("GB", "one"), ("GB", "two")]


def test_what_few_services_block_is_withheld() -> None:
    """A country in which a vantage missed one to four services has no number of that vantage, and no sum gives it away."""
    rows = [
        seen("GB", "one", (20, 18, 2)), seen("DE", "one", (30, 20, 10)), seen("FR", "one", (40, 30, 10)),
        seen("GB", "two", (20, 20, 0)), seen("DE", "two", (30, 30, 0)), seen("FR", "two", (40, 40, 0)),
        seen(None, "one", (90, 68, 22)), seen(None, "two", (90, 90, 0)),
    ]  # fmt: skip
    shown = {(row["country"], row["vantage_name"]): row for row in publishable("visibility", rows, Scope())}
    hidden = {where for where, row in shown.items() if row["visible"] is None}
    assert ("GB", "one") in hidden and len([where for where in hidden if where[1] == "one"]) == 2
    assert all(shown[where]["missed_alone"] is shown[where]["visible_share"] is None for where in hidden)
    assert not [where for where in hidden if where[1] == "two"]
    assert len(shown) == len(rows)
