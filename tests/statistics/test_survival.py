"""Survival of exposures over a series of sweeps."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.statistics.survival import recaptures, survival

SWEEPS, WORLDS = 8, 300


def histories(draw: np.random.Generator, stays: float, seen: float, born: int) -> tuple[np.ndarray, np.ndarray]:
    """A simulated world: which services are present at each sweep (some new at each, leaving at random), and detected."""
    entry = np.repeat(np.arange(SWEEPS), [10 * born, *[born] * (SWEEPS - 1)])
    life = draw.geometric(1 - stays, entry.size)
    time = np.arange(SWEEPS)
    present = (entry[:, None] <= time) & (time < (entry + life)[:, None])
    caught = present & (draw.random(present.shape) < seen)
    return present, caught


def test_counts_by_hand() -> None:
    """A service that was missed once counts as skipped; a service that was never detected again does not."""
    history = np.array([[1, 0, 1], [1, 1, 0], [0, 1, 1], [0, 0, 0]], bool)
    estimate = recaptures(history)
    assert estimate.caught.tolist() == [2, 2, 2] and estimate.marked.tolist() == [0, 1, 2]
    assert estimate.again.tolist() == [2, 1, 0] and estimate.skipped.tolist() == [0, 1, 0]


@pytest.mark.parametrize(("stays", "seen", "born"), [(0.95, 0.95, 20), (0.8, 0.9, 40), (0.98, 0.99, 60)])
def test_coverage(stays: float, seen: float, born: int) -> None:
    """In simulated histories, at least 93 of 100 intervals contain the true survival, and the mean estimate is right."""
    draw = np.random.default_rng(13)
    estimate = [survival(recaptures(histories(draw, stays, seen, born)[1])) for _ in range(WORLDS)]
    low, high, value = (
        np.array([getattr(s.stays, end)[1 : SWEEPS - 2] for s in estimate]) for end in ("low", "high", "value")
    )
    assert np.mean((low <= stays) & (stays <= high)) >= 0.93
    assert value.mean() == pytest.approx(stays, abs=0.01)


def test_loss_is_not_taken_for_death() -> None:
    """If every tenth look misses and no service ever leaves, survival is near 1; counting pairs would give 0.9."""
    draw = np.random.default_rng(17)
    estimate = survival(recaptures(draw.random((2000, SWEEPS)) < 0.9))
    assert np.all(estimate.stays.value[: SWEEPS - 2] > 0.985) and estimate.detection[2:-1] == pytest.approx(
        0.9, abs=0.03
    )
    assert estimate.present[2:-1] == pytest.approx(2000, rel=0.02)


def test_what_is_no_longer_probed_did_not_end() -> None:
    """If nothing ends, and each sweep takes one service of 200 out of those that are probed, survival is 1; counted as seen and not
    again, it would be 0.995.
    """
    draw = np.random.default_rng(23)
    out = draw.geometric(0.005, 20_000)
    history = (np.arange(SWEEPS) < out[:, None]) & (draw.random((out.size, SWEEPS)) < 0.98)
    counts = recaptures(history)
    last = SWEEPS - 1 - np.argmax(history[:, ::-1], axis=1)
    removed = np.bincount(last[(out < SWEEPS) & history.any(axis=1) & (last == out - 1)], minlength=SWEEPS)
    naive = survival(counts).stays.value[1 : SWEEPS - 2]
    mended = survival(replace(counts, removed=removed.astype(float))).stays
    assert naive.mean() == pytest.approx(0.995, abs=0.001)
    assert mended.value[1 : SWEEPS - 2].mean() == pytest.approx(1, abs=0.0005)
    assert (mended.high[1 : SWEEPS - 2] > 0.9999).all()


def test_the_last_step_is_unknown() -> None:
    """The last step has no estimate: a service missing in the last sweep may still exist."""
    estimate = survival(recaptures(np.ones((20, 3), bool)))
    assert estimate.stays.value[0] == 1 and estimate.stays.low[0] == pytest.approx(0.025 ** (1 / 20))
    assert np.isnan(estimate.stays.value[1:]).all() and np.isnan(estimate.present[[0, 2]]).all()


@pytest.mark.parametrize("sweeps", [0, 1, 2])
def test_short_series(sweeps: int) -> None:
    """With fewer than three sweeps there is no survival, and no error."""
    assert not np.isfinite(survival(recaptures(np.ones((5, sweeps), bool))).stays.value).any()
