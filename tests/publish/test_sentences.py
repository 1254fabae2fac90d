"""The sentences of a report."""

import pytest

from pipeline.publish import sentences
from pipeline.publish.gather import gather
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
    """Whole numbers have thousands separators, fractions three digits, and null is a dash."""
    assert sentences.number(value) == text


def test_headline_agrees_in_number() -> None:
    """One service in one country is in the singular."""
    found = {"ip": demo.FIRST, "port": 104, "outcome": "accepted"}
    con = lake.connect(
        sweeps=[demo.sweep_row(1_000_000, 1)], associations=[found], locations=[{"ip": demo.FIRST, "country": "NL"}]
    )
    gathered = gather(con, lake.SWEEP)
    assert sentences.headline(gathered) == "1 DICOM service in 1 country answered"
    assert "1 DICOM service answered in the Netherlands" in list(sentences.sentences(gathered))[1]
