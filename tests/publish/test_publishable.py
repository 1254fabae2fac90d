"""Rows of marts as they may be published."""

from pipeline.publish.disclosure import SUPPRESSED
from pipeline.publish.publishable import publishable, safe
from pipeline.publish.scope import Scope
from pipeline.publish.withheld_facts import DECOYS, Withheld


def test_texts_are_made_safe() -> None:
    """A peer's text that names a host is replaced; another text loses what it hides."""
    row = {"implementation_version_name": "pacs.hospital.example", "toolkit": "DCM\x1bTK", "services": 3}
    shown = safe(row)
    assert (
        shown["implementation_version_name"] == SUPPRESSED and "\x1b" not in shown["toolkit"] and shown["services"] == 3
    )


def test_a_fact_is_withheld_of_the_country_and_sweep_alone() -> None:
    """What is withheld of a country in one sweep is published of another country, and of another sweep."""
    rows = [
        {"sweep": sweep, "country": country, "services": 20, "accepting": 9, "decoys": 8}
        for sweep in ("s1", "s2")
        for country in ("DE", "NL")
    ]
    hidden = Withheld({("s1", "DE"): frozenset({DECOYS})})
    shown = publishable("country_trend", rows, Scope(), hidden)
    assert [row["decoys"] for row in shown] == [None, 8, 8, 8]
    assert [row["accepting"] for row in shown] == [9, 9, 9, 9]
