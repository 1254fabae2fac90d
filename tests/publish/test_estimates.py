"""What the report concludes from its counts."""

import math
from typing import Any

import pytest

from pipeline.publish import estimates
from pipeline.publish.estimates import SurvivalStep

UNKNOWN = {"took": None, "took_twice": None}
LOOKS = [
    {"sweep": "a", "seen_twice": 95, "seen_second": 100} | UNKNOWN,
    {"sweep": "b", "seen_twice": 0, "seen_second": 0} | UNKNOWN,
]
PAIR = {"days": 1.0, "port": 104, "seen_here": 60, "seen_there": 50, "seen_by_both": 45}
VANTAGES = [{"sweep": "c", "other": "d", **PAIR}, {"sweep": "c", "other": "e", **PAIR, "days": 0.5, "seen_there": 90}]


@pytest.mark.parametrize(
    ("sweep", "value", "method"),
    [("a", 0.95, "a second SYN"), ("c", 0.5, "another vantage"), ("d", 0.75, "another vantage"), ("b", None, "")],
)
def test_what_a_sweep_sees(sweep: str, value: float | None, method: str) -> None:
    """Detection comes from second looks, else from the vantage nearest in time, from either side; otherwise it is unknown."""
    found = estimates.detected(estimates.second_look(sweep, LOOKS, VANTAGES))
    assert (found.chance.value, found.method) == (value, method) if found else value is None


def test_estimates() -> None:
    """The estimate of a complete sweep without known loss is its count; half a sample is doubled, with an interval."""
    (told,) = estimates.estimates([10], 1.0)
    assert (told.value, told.low, told.high) == (10, 10, 10)
    (told,) = estimates.estimates([10], 0.5)
    assert told.value == 20 and 10 < told.low < 20 < told.high
    assert estimates.estimates([], 1.0) == []


def test_a_trend_is_what_each_sweep_tells() -> None:
    """Estimating all sweeps of a series at once gives the same as each sweep alone; without a second look it is at least the count."""
    looks = [estimates.second_look(sweep, LOOKS, VANTAGES) for sweep in "abcd"]
    alone = [estimates.estimates([n], 1.0, [look])[0] for n, look in enumerate(looks, 40)]
    at_once = estimates.trend(range(40, 44), looks)
    assert [at_once[n] for n in (0, 2, 3)] == [alone[n] for n in (0, 2, 3)]
    assert at_once[1] == estimates.Estimate(41, 41, math.inf)
    assert estimates.trend([], []) == []


def moved(country: str, stayed: int, came: int, went: int) -> dict[str, Any]:
    """A country's change, in networks of one service each."""
    alone = [
        {"network": f"{country}{kind}{n}", "came": 0, "went": 0} | {kind: 1}
        for kind, count in (("came", came), ("went", went))
        for n in range(count)
    ]
    return {
        "country": country,
        "stayed": stayed,
        "came": came,
        "went": went,
        "entered": 0,
        "left_space": 0,
        "moved_in": 0,
        "moved_out": 0,
        "withheld": 0,
        "networks": alone,
    }


def test_flags() -> None:
    """Growth and fall have different flags, one that chance may make has none, and one of too few services says so."""
    rows = [
        moved("A", 100, 30, 5),
        moved("B", 100, 5, 30),
        moved("C", 100, 30, 30),
        moved("D", 100, 4, 1),
        moved("E", 100, 2, 14),
    ]
    seen = estimates.second_look("a", [LOOKS[0] | {"seen_twice": 9900, "seen_second": 10_000}], [])
    seen = estimates.joined([seen] * 6)
    found = estimates.changes(rows, seen, seen)
    assert found[0].country == "all" and found[0].stayed == 500
    assert [row.flag for row in found[1:]] == ["up", "down", "", "few", "down"]
    assert estimates.changes([], None, None) == []


def test_no_second_look_no_turnover() -> None:
    """Without second looks, one service more and three fewer are no change that could be told, and no turnover is estimated."""
    rows = [moved("A", 1000, 1, 0), moved("B", 1000, 0, 3)]
    (total, *countries) = estimates.changes(rows, None, None)
    assert [row.flag for row in (total, *countries)] == ["few", "few", "few"]
    assert math.isnan(total.turnover.value) and math.isnan(total.by_loss[0])


def test_holm_over_countries() -> None:
    """The p of each country is corrected for all countries, the smallest by their number."""
    rows = [moved("A", 100, 30, 5), *(moved(name, 100, 10, 10) for name in "BCDE")]
    first = estimates.changes(rows, None, None)[1]
    assert first.p_adjusted == 5 * first.p_growth and first.flag == "up"


def test_services_at_one_address_say_less() -> None:
    """In a sample, 12 services at 2 addresses have the interval of 2 addresses, six times as wide; in a complete sweep they do not."""
    (alone,), (together,), (addresses,) = (
        estimates.estimates([count], 0.1, [None], [each]) for count, each in ((12, 1.0), (12, 6.0), (2, 1.0))
    )
    assert together.value == alone.value == 120
    assert together.high == 6 * addresses.high > alone.high and together.low < alone.low
    (complete,) = estimates.estimates([12], 1.0, [None], [6.0])
    assert (complete.low, complete.high) == (12, 12)


def test_short_series_tell_no_survival() -> None:
    """Fewer than three sweeps give no survival."""
    row = {"sweep": "a", "days": 7.0, "caught": 5, "marked": 5, "again": 5, "skipped": 0, "removed": 0}
    assert estimates.survival([row, row]) == []
    (step,) = estimates.survival([row | {"marked": 0}, row, row | {"again": 0}])
    assert isinstance(step, SurvivalStep) and step.stays.value == 1
