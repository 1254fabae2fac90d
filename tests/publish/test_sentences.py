"""The sentences of a report."""

from datetime import timedelta

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


def test_sweeps_of_one_day_are_not_zero_days_apart() -> None:
    """Sweeps that are minutes apart are less than a day apart, and what goes at such a pace is gone within a day."""
    seen = {f"s{n}": range(demo.FIRST + 10 * n, demo.FIRST + 10 * n + 40) for n in range(1, 5)}
    sweeps = [
        demo.sweep_row(1_000_000, 40) | {"sweep": sweep, "started_at": lake.WHEN + timedelta(minutes=10 * number)}
        for number, sweep in enumerate(seen)
    ]
    con = lake.connect(
        sweeps=sweeps,
        methods=[{"sweep": sweep, "method_digest": "m"} for sweep in seen],
        space=[{"sweep": sweep, "first": 0, "last": 2**32 - 1} for sweep in seen],
        associations=[
            {"sweep": sweep, "ip": ip, "port": 104, "outcome": "accepted"} for sweep, ips in seen.items() for ip in ips
        ],
    )
    said = " ".join(sentences.sentences(gather(con, "s4")))
    assert "seen less than a day earlier" in said
    assert "half of them would be gone within a day" in said
    assert "At least this many services are there: packet loss hides some" in said


@pytest.mark.parametrize(("second_looks", "hinted"), [(3, True), (400, False)])
def test_a_loss_that_is_hardly_known_says_so(second_looks: int, hinted: bool) -> None:
    """Where few hosts got a second SYN, the estimate says so and names the key that helps."""
    found = {"ip": demo.FIRST, "port": 104, "outcome": "accepted"}
    con = lake.connect(
        sweeps=[demo.sweep_row(1_000_000, 1)],
        associations=[found],
        second_looks=[{"vantage": "v", "seen_twice": second_looks, "first_only": 0, "second_only": 0}],
    )
    said = sentences.certainty(gather(con, lake.SWEEP))
    assert ("hardly known, from 3 hosts alone; more second SYNs (key loss.sample)" in said) == hinted
