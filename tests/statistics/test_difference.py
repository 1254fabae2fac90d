"""Two shares and their difference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.statistics import beta
from pipeline.statistics.difference import difference
from pipeline.statistics.interval import share

trials = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_known_answer() -> None:
    """51 of 249 gone after a visit and 0 of 220 without one: 20.5 %, and the interval leaves no doubt that visits end hosts."""
    told = difference(51, 249, 0, 220)
    assert told.value == pytest.approx(51 / 249)
    assert 0.14 < told.low < 0.16 and 0.25 < told.high < 0.28


@settings(max_examples=10, deadline=None)
@given(trials, trials)
def test_it_is_antisymmetric_and_in_bounds(one: tuple[int, int], other: tuple[int, int]) -> None:
    """Exchanged sides give the negative; low ≤ value ≤ high within [-1, 1]."""
    told, back = difference(*one, *other), difference(*other, *one)
    assert -1 <= told.low <= told.value <= told.high <= 1
    assert (told.low, told.high) == pytest.approx((-back.high, -back.low), abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(trials)
def test_a_base_that_is_as_good_as_known_leaves_the_share(one: tuple[int, int]) -> None:
    """Against no event in very many trials it is the exact interval of the share itself."""
    told, alone = difference(*one, 0, 10**6), share(*one)
    assert (told.low, told.high) == pytest.approx((float(alone.low), float(alone.high)), abs=1e-4)


def test_nothing_tried() -> None:
    """Without trials anything is possible."""
    told = difference([0, 3], [0, 9], [1, 0], [9, 0])
    assert np.isnan(told.value).all() and (told.low == -1).all() and (told.high == 1).all()


@pytest.mark.parametrize(
    ("p", "n", "base", "m"),
    [(0.02, 60, 0.02, 50), (0.2, 40, 0.02, 50), (0.5, 30, 0.5, 40)],
)
def test_it_covers_as_often_as_it_says(p: float, n: int, base: float, m: int) -> None:
    """Summed over all pairs of counts, the interval holds the true difference with a probability of at least 95 %."""
    k, j = np.meshgrid(np.arange(n + 1), np.arange(m + 1), indexing="ij")
    told = difference(k, n, j, m)
    weight = np.outer(_mass(n, p), _mass(m, base))
    holds = (told.low <= p - base + 1e-12) & (p - base <= told.high + 1e-12)
    assert weight[holds].sum() >= 0.95


def _mass(n: int, p: float) -> np.ndarray:
    tails = beta.at_least(np.arange(n + 2), n, p)
    return tails[:-1] - tails[1:]
