"""What the report concludes from its counts."""

import math

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
    (told,) = estimates.estimates([10], 1.0, None)
    assert (told.value, told.low, told.high) == (10, 10, 10)
    (told,) = estimates.estimates([10], 0.5, None)
    assert told.value == 20 and 10 < told.low < 20 < told.high
    assert estimates.estimates([], 1.0, None) == []


def test_a_trend_is_what_each_sweep_tells() -> None:
    """Estimating all sweeps of a series at once gives the same as each sweep alone; without a second look the count is kept."""
    looks = [estimates.second_look(sweep, LOOKS, VANTAGES) for sweep in "abcd"]
    alone = [estimates.estimates([n], 1.0, estimates.detected(look))[0] for n, look in enumerate(looks, 40)]
    assert estimates.trend(range(40, 44), looks) == alone and alone[1].low == alone[1].high == 41
    assert estimates.trend([], []) == []


def moved(country: str, stayed: int, came: int, went: int) -> dict[str, object]:
    return {"country": country, "stayed": stayed, "came": came, "went": went, "entered": 0, "left_space": 0}


def test_flags() -> None:
    """Growth, fall and mere turnover have different flags, and a chance change has none; p < 0.05 alone gives no flag."""
    rows = [
        moved("A", 100, 30, 5),
        moved("B", 100, 5, 30),
        moved("C", 100, 30, 30),
        moved("D", 100, 4, 1),
        moved("E", 100, 1, 8),
    ]
    seen = estimates.detected(estimates.second_look("a", LOOKS, []))
    found = estimates.changes(rows, seen, seen)
    assert found[0].country == "all" and found[0].stayed == 500
    assert [row.flag for row in found[1:]] == ["up", "down", "turnover", "", ""]
    assert found[5].p_growth < 0.05
    assert estimates.changes([], None, None) == []


def test_short_series_tell_no_survival() -> None:
    """Fewer than three sweeps give no survival, and without survival there is no half-life."""
    row = {"sweep": "a", "days": 7.0, "caught": 5, "marked": 5, "again": 5, "skipped": 0}
    assert estimates.survival([row, row]) == [] and math.isnan(estimates.half_life([]))
    (step,) = estimates.survival([row | {"marked": 0}, row, row | {"again": 0}])
    assert isinstance(step, SurvivalStep) and step.stays.value == 1 and estimates.half_life([step]) == math.inf
