"""Whether a rate has fallen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.statistics.fall import fall_began, rate_fall_p_value

counts = st.tuples(st.integers(0, 60), st.integers(60, 5000), st.integers(0, 200), st.integers(200, 50_000))


def test_known_answer() -> None:
    """No hit in a tenth of all probes, after 20 in nine tenths: 0.9 to the power of 20."""
    assert rate_fall_p_value(0, 1000, 20, 9000) == pytest.approx(0.9**20)


@settings(max_examples=30, deadline=None)
@given(counts)
def test_more_hits_and_a_lower_bar_are_no_better_evidence(given_: tuple[int, int, int, int]) -> None:
    """The p-value is a probability, grows with the hits, and is greater for a lower threshold `to`."""
    k, n, base, m = given_
    p = rate_fall_p_value([k, k + 1], n, base, m)
    lenient = rate_fall_p_value(k, n, base, m, to=0.5)
    assert 0 <= p[0] <= p[1] <= 1 and lenient >= p[0] - 1e-12


def test_false_alarms() -> None:
    """Without a change, p-values below a threshold are at most as frequent as the threshold."""
    draw = np.random.default_rng(4)
    hits, before = draw.binomial(20_000, 0.002, 20_000), draw.binomial(200_000, 0.002, 20_000)
    p = rate_fall_p_value(hits, 20_000, before, 200_000)
    for threshold in (0.05, 0.01, 0.001):
        assert np.mean(p <= threshold) <= threshold + 3 * np.sqrt(threshold / 20_000)


def test_a_fall_is_detected() -> None:
    """A loss of half the hits is detected at once; a tenth, which `to` allows, is not."""
    assert rate_fall_p_value(20, 20_000, 400, 200_000, to=0.75) < 0.05
    assert rate_fall_p_value(200, 200_000, 4000, 2_000_000, to=0.75) < 1e-6
    assert rate_fall_p_value(360, 200_000, 4000, 2_000_000, to=0.75) > 0.5


def test_where_a_fall_began() -> None:
    """The earliest likely change point is found: at once for silence, some ranges early where ranges have few hits."""
    assert fall_began([40] * 30 + [0], [10_000] * 31, 1) == 30
    assert fall_began([40] * 30 + [18, 0], [10_000] * 32, 1) == 31
    assert fall_began([40] * 30 + [20] * 4, [10_000] * 34, 4) in (29, 30)
    few = [1, 0, 2, 1, 1, 0, 1, 2] * 8 + [1, 0, 0, 0] + [0] * 16
    assert 61 <= fall_began(few, [1000] * len(few), 16) <= 65


def test_the_change_point_is_seldom_too_late() -> None:
    """Of 200 falls to half the rate, the estimate comes after the true begin in few."""
    draw = np.random.default_rng(5)
    late = 0
    for _ in range(200):
        hits = np.concatenate([draw.binomial(20_000, 0.002, 40), draw.binomial(20_000, 0.001, 16)])
        late += fall_began(hits.tolist(), [20_000] * 56, 16) > 40
    assert late <= 10
