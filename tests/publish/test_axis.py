"""Ticks are round."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.publish import axis


@pytest.mark.parametrize(
    ("top", "ticks"),
    [
        (0, [0, 1]),
        (3, [0, 1, 2, 3]),
        (50, [0, 10, 20, 30, 40, 50]),
        (186, [0, 50, 100, 150, 200]),
        (14_004, [0, 5000, 10_000, 15_000]),
    ],
)
def test_numbers_are_round(top: float, ticks: list[float]) -> None:
    """The ticks of a scale are what a person would choose."""
    assert axis.numbers(top, 5) == ticks


@given(st.floats(0, 1e9), st.integers(2, 10))
def test_numbers_reach_the_top(top: float, most: int) -> None:
    """Ticks are whole, begin at 0, have equal steps, reach the greatest value, and are few."""
    ticks = axis.numbers(top, most)
    assert ticks[0] == 0 and ticks[-1] >= top and all(float(tick).is_integer() for tick in ticks)
    assert len(ticks) <= most + 2


def test_dates_begin_days_months_or_years() -> None:
    """Weeks have days as labels, a year has months, ten years have years."""
    first = datetime(2026, 6, 1, 3, tzinfo=UTC)
    labels = [[label for _, label in axis.dates(first, first + timedelta(days), 6)] for days in (14, 365, 3640)]
    assert labels[0] == ["1 Jun 2026", "8 Jun 2026", "15 Jun 2026"]
    assert labels[1] == ["Jul 2026", "Oct 2026", "Jan 2027", "Apr 2027"]
    assert labels[2] == ["2028", "2030", "2032", "2034", "2036"]


@given(st.datetimes(datetime(2020, 1, 1), datetime(2050, 1, 1)), st.integers(0, 5000), st.integers(2, 12))
def test_dates_are_within(start: datetime, days: int, most: int) -> None:
    """Ticks lie within the span, in order, and no more than asked for."""
    first = start.replace(tzinfo=UTC)
    ticks = [at for at, _ in axis.dates(first, first + timedelta(days), most)]
    assert ticks == sorted(set(ticks)) and len(ticks) <= most
    assert all(first <= at <= first + timedelta(days) for at in ticks)
