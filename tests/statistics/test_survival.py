"""Survival of exposures over a series of sweeps."""

import numpy as np
import pytest

from pipeline.statistics.survival import half_life, recaptures, survival

SWEEPS, WORLDS = 8, 300


def histories(draw: np.random.Generator, stays: float, seen: float, born: int) -> tuple[np.ndarray, np.ndarray]:
    """A simulated world: who is there at each sweep (born anew at each, going at random), and who is seen."""
    entry = np.repeat(np.arange(SWEEPS), [10 * born, *[born] * (SWEEPS - 1)])
    life = draw.geometric(1 - stays, entry.size)
    time = np.arange(SWEEPS)
    there = (entry[:, None] <= time) & (time < (entry + life)[:, None])
    caught = there & (draw.random(there.shape) < seen)
    return there, caught


def test_counts_by_hand() -> None:
    """A service that was missed once is skipped; one that was never seen again is not seen again."""
    history = np.array([[1, 0, 1], [1, 1, 0], [0, 1, 1], [0, 0, 0]], bool)
    found = recaptures(history)
    assert found.caught.tolist() == [2, 2, 2] and found.marked.tolist() == [0, 1, 2]
    assert found.again.tolist() == [2, 1, 0] and found.skipped.tolist() == [0, 1, 0]


@pytest.mark.parametrize(("stays", "seen", "born"), [(0.95, 0.95, 20), (0.8, 0.9, 40), (0.98, 0.99, 60)])
def test_it_covers_as_often_as_it_says(stays: float, seen: float, born: int) -> None:
    """Of the steps of simulated histories, at least 93 of 100 intervals hold the true probability, estimates on average too."""
    draw = np.random.default_rng(13)
    found = [survival(recaptures(histories(draw, stays, seen, born)[1])) for _ in range(WORLDS)]
    low, high, value = (
        np.array([getattr(s.stays, end)[1 : SWEEPS - 2] for s in found]) for end in ("low", "high", "value")
    )
    assert np.mean((low <= stays) & (stays <= high)) >= 0.93
    assert value.mean() == pytest.approx(stays, abs=0.01)


def test_loss_is_not_taken_for_death() -> None:
    """Every tenth look misses, and nothing ever goes: survival stays near 1, where counting pairs would say 0.9."""
    draw = np.random.default_rng(17)
    found = survival(recaptures(draw.random((2000, SWEEPS)) < 0.9))
    assert np.all(found.stays.value[: SWEEPS - 2] > 0.985) and found.seen[2:-1] == pytest.approx(0.9, abs=0.03)
    assert found.there[2:-1] == pytest.approx(2000, rel=0.02)


def test_the_last_step_is_untold() -> None:
    """Whether what is missing from the last sweep is gone, nobody knows yet."""
    found = survival(recaptures(np.ones((20, 3), bool)))
    assert found.stays.value[0] == 1 and found.stays.low[0] == pytest.approx(0.025 ** (1 / 20))
    assert np.isnan(found.stays.value[1:]).all() and np.isnan(found.there[[0, 2]]).all()


@pytest.mark.parametrize("sweeps", [0, 1, 2])
def test_short_series_tell_nothing(sweeps: int) -> None:
    """With fewer than three sweeps there is no survival, and no error."""
    assert not np.isfinite(survival(recaptures(np.ones((5, sweeps), bool))).stays.value).any()


def test_half_life() -> None:
    """Half a week's survival is one week's half-life; what never goes has none; what is untold counts not at all."""
    assert half_life([0.5, np.nan], [7, 7]) == pytest.approx(7)
    assert half_life([1.0], [7]) == np.inf and np.isnan(half_life([], []))
