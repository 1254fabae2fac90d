"""The sentences of a report."""

import pytest

from pipeline.publish import data, sentences
from tests.analysis import lake
from tests.publish import demo


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (0.0, "0"),
        (1234567, "1,234,567"),
        (1234.6, "1,235"),
        (6.1, "6.10"),
        (150.0, "150"),
        (0.00042, "0.000420"),
    ],
)
def test_number(value: float | None, text: str) -> None:
    """Whole numbers have their thousands apart, fractions three digits, and null is a dash."""
    assert sentences.number(value) == text


def test_headline_agrees_in_number() -> None:
    """One service in one country is in the singular."""
    found = {"ip": demo.FIRST, "port": 104, "outcome": "accepted"}
    con = lake.connect(
        sweeps=[demo.sweep_row(1_000_000, 1)], associations=[found], locations=[{"ip": demo.FIRST, "country": "NL"}]
    )
    gathered = data.gather(con, lake.SWEEP)
    assert sentences.headline(gathered) == "1 DICOM service in 1 country answered"
    assert "1 DICOM service in the Netherlands answered" in list(sentences.sentences(gathered))[1]


def test_method_names_what_makes_a_number_recomputable() -> None:
    """Plan digest, ports, sample, rate, dates and country database are all in the method; our own address is not."""
    told = dict(sentences.method(data.gather(demo.connect(visited=100_000), lake.SWEEP)))
    assert told["Plan digest"] == "ab" * 32 and told["Ports"] == "104, 11112"
    assert told["Target space"] == "1,000,000 addresses, 100,000 visited"
    assert told["Dates"] == "2026-06-20 00:00 to 2026-06-20 05:00 UTC" and "a second" in told["Probes"]
    assert told["Countries"].startswith("made up, built 2026-06-17") and told["Vantages"] == "1"
