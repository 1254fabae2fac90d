"""The total behind a count by a sample, or by a lossy look."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.statistics import beta, recapture
from pipeline.statistics.abundance import abundance
from pipeline.statistics.interval import share

WORLDS = 2000


@given(st.integers(0, 100_000))
@settings(max_examples=20)
def test_detecting_all_is_counting(count: int) -> None:
    """With nothing missed, estimate and both ends are the count."""
    estimate = abundance(count, 1.0)
    assert (estimate.value, estimate.low, estimate.high) == (count, count, count)


@pytest.mark.parametrize(("there", "seen"), [(5, 0.5), (30, 0.9), (200, 0.1), (40, 0.99)])
def test_it_covers_every_truth(there: int, seen: float) -> None:
    """Summed exactly over all counts, the interval contains the truth with at least 95 %."""
    k = np.arange(there + 1)
    estimate = abundance(k, seen)
    mass = beta.at_least(k, there, seen) - beta.at_least(k + 1, there, seen)
    assert mass[(estimate.low <= there) & (there <= estimate.high)].sum() >= 0.95 - 1e-9


@pytest.mark.parametrize(("there", "share_visited"), [(300, 0.1), (50, 0.5), (2000, 0.02)])
def test_sampled_sweeps_are_covered(there: int, share_visited: float) -> None:
    """Drawn without replacement, at least 94 of 100 intervals contain the truth (95 % except for chance)."""
    space = 100_000
    counts = np.random.default_rng(7).hypergeometric(there, space - there, int(space * share_visited), WORLDS)
    estimate = abundance(counts, share_visited)
    assert np.mean((estimate.low <= there) & (there <= estimate.high)) >= 0.94


@pytest.mark.parametrize(
    ("there", "seen", "checked"), [(40, 0.97, 400), (500, 0.9, 300), (1000, 0.99, 2000), (12, 0.8, 60)]
)
def test_estimated_loss_is_covered(there: int, seen: float, checked: int) -> None:
    """With the detection probability estimated from a second look, at least 94 of 100 intervals contain the truth."""
    draw = np.random.default_rng(11)
    counts = draw.binomial(there, seen, WORLDS)
    estimated = recapture.detection(draw.binomial(checked, seen, WORLDS), checked)
    estimate = abundance(counts, estimated)
    assert np.mean((estimate.low <= there) & (there <= estimate.high)) >= 0.94


def test_better_detection_narrows() -> None:
    """The interval is never below the count, and narrows with better detection."""
    wide, narrow = abundance(50, 0.5), abundance(50, 0.99)
    assert 50 <= narrow.low <= narrow.value <= narrow.high < wide.high and wide.low > narrow.low


def test_a_count_of_none_has_an_upper_end() -> None:
    """A count of 0 in half of the space: the estimate is 0, and up to five are possible (1 - 0.5^5 < 97.5 %)."""
    estimate = abundance(0, share(1000, 2000).value)
    assert (estimate.value, estimate.low, estimate.high) == (0, 0, 5)
