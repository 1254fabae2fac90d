"""Capture and recapture."""

import numpy as np
import pytest

from pipeline.statistics.recapture import chapman, detection

WORLDS = 4000


def test_known_answer() -> None:
    """Chapman's estimate of 200 and 200 with 50 in common: 201 · 201 / 51 - 1 = 791.2."""
    found = chapman(200, 200, 50)
    assert found.value == pytest.approx(791.18, abs=0.01)
    assert 350 < found.low < found.value < found.high


@pytest.mark.parametrize(
    ("there", "one", "two"), [(100, 0.9, 0.8), (3000, 0.97, 0.98), (60, 0.6, 0.6), (400, 0.3, 0.5)]
)
def test_it_covers_as_often_as_it_says(there: int, one: float, two: float) -> None:
    """Of simulated pairs of looks at a known world, at least 94 of 100 intervals hold its size."""
    draw = np.random.default_rng(3)
    both, only_one, only_two, _ = draw.multinomial(
        there, [one * two, one * (1 - two), (1 - one) * two, (1 - one) * (1 - two)], WORLDS
    ).T
    found = chapman(both + only_one, both + only_two, both)
    assert np.mean((found.low <= there) & (there <= found.high)) >= 0.94
    assert np.mean(found.value) == pytest.approx(there, rel=0.02)


def test_two_looks_that_saw_the_same() -> None:
    """If both saw the same, that is the estimate and the lower end, and the upper end leaves room for one that both missed."""
    found = chapman(30, 30, 30)
    assert (found.value, found.low) == (30, 30) and found.high == 31


def test_detection_is_a_share() -> None:
    """Of 100 hosts of the second look the first saw 97."""
    found = detection(97, 100)
    assert found.value == 0.97 and 0.91 < found.low < 0.92 and 0.99 < found.high < 1
