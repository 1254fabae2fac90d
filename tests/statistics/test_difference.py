"""Two shares and their difference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.statistics import beta
from pipeline.statistics.difference import difference, repeated
from pipeline.statistics.interval import share

trials = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_known_answer() -> None:
    """51 of 249 gone after a visit and 0 of 220 without one: 20.5 %, with an interval far from 0."""
    estimate = difference(51, 249, 0, 220)
    assert estimate.value == pytest.approx(51 / 249)
    assert 0.14 < estimate.low < 0.16 and 0.25 < estimate.high < 0.28


@settings(max_examples=10, deadline=None)
@given(trials, trials)
def test_it_is_antisymmetric_and_in_bounds(first: tuple[int, int], second: tuple[int, int]) -> None:
    """Exchanging the sides gives the negative; low ≤ value ≤ high within [-1, 1]."""
    estimate, back = difference(*first, *second), difference(*second, *first)
    assert -1 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert (estimate.low, estimate.high) == pytest.approx((-back.high, -back.low), abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(trials)
def test_a_known_base_leaves_the_share(first: tuple[int, int]) -> None:
    """Compared with no event in very many trials, the interval is the exact interval of the share itself."""
    estimate, alone = difference(*first, 0, 10**6), share(*first)
    assert (estimate.low, estimate.high) == pytest.approx((float(alone.low), float(alone.high)), abs=1e-4)


def test_nothing_tried() -> None:
    """Without trials the estimate is NaN, from -1 to 1."""
    estimate = difference([0, 3], [0, 9], [1, 0], [9, 0])
    assert np.isnan(estimate.value).all() and (estimate.low == -1).all() and (estimate.high == 1).all()


@pytest.mark.parametrize(
    ("p", "n", "base", "m"),
    [(0.02, 60, 0.02, 50), (0.2, 40, 0.02, 50), (0.5, 30, 0.5, 40)],
)
def test_coverage(p: float, n: int, base: float, m: int) -> None:
    """Summed over all pairs of counts, the interval contains the true difference with at least 95 %."""
    k, j = np.meshgrid(np.arange(n + 1), np.arange(m + 1), indexing="ij")
    estimate = difference(k, n, j, m)
    weight = np.outer(_mass(n, p), _mass(m, base))
    covered = (estimate.low <= p - base + 1e-12) & (p - base <= estimate.high + 1e-12)
    assert weight[covered].sum() >= 0.95


def test_repeated_looks_together_are_rarely_wrong() -> None:
    """Judged for ten weeks, each time over all hosts so far, fewer than 5 % of 100 histories without a difference ever show one."""
    draw = np.random.default_rng(20261130)
    ended, base = draw.binomial(200, 0.05, (2, 10, 100)).cumsum(axis=1)
    wrong = {level: np.zeros(100, dtype=bool) for level in (repeated, lambda _: 0.95)}
    for level, ever in wrong.items():
        for week in range(1, 11):
            estimate = difference(ended[week - 1], 200 * week, base[week - 1], 200 * week, level(week))
            ever |= (estimate.low > 0) | (estimate.high < 0)
    together, alone = (ever.mean() for ever in wrong.values())
    assert together < 0.05 < alone


def _mass(n: int, p: float) -> np.ndarray:
    tails = beta.at_least(np.arange(n + 2), n, p)
    return tails[:-1] - tails[1:]
