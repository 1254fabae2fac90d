"""Capture and recapture."""

import numpy as np
import pytest

from pipeline.statistics.recapture import chapman, detection

WORLDS = 4000


def test_known_answer() -> None:
    """Chapman's estimate of 200 and 200 with 50 in common: 201 · 201 / 51 - 1 = 791.2."""
    estimate = chapman(200, 200, 50)
    assert estimate.value == pytest.approx(791.18, abs=0.01)
    assert 350 < estimate.low < estimate.value < estimate.high


@pytest.mark.parametrize(
    ("there", "one", "two"), [(100, 0.9, 0.8), (3000, 0.97, 0.98), (60, 0.6, 0.6), (400, 0.3, 0.5)]
)
def test_coverage(there: int, one: float, two: float) -> None:
    """In simulated pairs of looks at a known world, at least 94 of 100 intervals contain its size."""
    draw = np.random.default_rng(3)
    both, only_one, only_two, _ = draw.multinomial(
        there, [one * two, one * (1 - two), (1 - one) * two, (1 - one) * (1 - two)], WORLDS
    ).T
    estimate = chapman(both + only_one, both + only_two, both)
    assert np.mean((estimate.low <= there) & (there <= estimate.high)) >= 0.94
    assert np.mean(estimate.value) == pytest.approx(there, rel=0.02)


def test_two_equal_looks() -> None:
    """If both looks detected the same hosts, their number is the estimate and the lower end; the upper end is one higher."""
    estimate = chapman(30, 30, 30)
    assert (estimate.value, estimate.low) == (30, 30) and estimate.high == 31


def test_detection_is_a_share() -> None:
    """The share is 0.97 if the first look detected 97 of the second look's 100 hosts."""
    estimate = detection(97, 100)
    assert estimate.value == 0.97 and 0.91 < estimate.low < 0.92 and 0.99 < estimate.high < 1
