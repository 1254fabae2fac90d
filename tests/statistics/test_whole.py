"""The number that a sample, or a lossy look, stands for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.statistics import beta, recapture
from pipeline.statistics.interval import share
from pipeline.statistics.whole import whole

WORLDS = 2000


@given(st.integers(0, 100_000))
@settings(max_examples=20)
def test_seeing_all_is_counting(count: int) -> None:
    """With nothing missed, estimate and both ends are the count."""
    found = whole(count, 1.0)
    assert (found.value, found.low, found.high) == (count, count, count)


@pytest.mark.parametrize(("there", "seen"), [(5, 0.5), (30, 0.9), (200, 0.1), (40, 0.99)])
def test_it_covers_every_truth(there: int, seen: float) -> None:
    """Summed exactly over all counts: the interval holds the truth with at least 95 %."""
    k = np.arange(there + 1)
    found = whole(k, seen)
    mass = beta.at_least(k, there, seen) - beta.at_least(k + 1, there, seen)
    assert mass[(found.low <= there) & (there <= found.high)].sum() >= 0.95 - 1e-9


@pytest.mark.parametrize(("there", "share_visited"), [(300, 0.1), (50, 0.5), (2000, 0.02)])
def test_sampled_sweeps_are_covered(there: int, share_visited: float) -> None:
    """Drawn without replacement from a real space: at least 94 of 100 intervals hold the truth (95 % but for chance)."""
    space = 100_000
    counts = np.random.default_rng(7).hypergeometric(there, space - there, int(space * share_visited), WORLDS)
    found = whole(counts, share_visited)
    assert np.mean((found.low <= there) & (there <= found.high)) >= 0.94


@pytest.mark.parametrize(
    ("there", "seen", "checked"), [(40, 0.97, 400), (500, 0.9, 300), (1000, 0.99, 2000), (12, 0.8, 60)]
)
def test_estimated_loss_is_covered(there: int, seen: float, checked: int) -> None:
    """The probability to be seen is itself estimated from a second look: at least 94 of 100 intervals hold the truth."""
    draw = np.random.default_rng(11)
    counts = draw.binomial(there, seen, WORLDS)
    estimated = recapture.detection(draw.binomial(checked, seen, WORLDS), checked)
    found = whole(counts, estimated)
    assert np.mean((found.low <= there) & (there <= found.high)) >= 0.94


def test_more_seen_needs_no_more() -> None:
    """The interval never lies below what was seen, and narrows as more is seen."""
    wide, narrow = whole(50, 0.5), whole(50, 0.99)
    assert 50 <= narrow.low <= narrow.value <= narrow.high < wide.high and wide.low > narrow.low


def test_none_seen_has_an_upper_end() -> None:
    """Nothing found in half of the space: none is estimated, and five could be there (1 - 0.5^5 < 97.5 %)."""
    found = whole(0, share(1000, 2000).value)
    assert (found.value, found.low, found.high) == (0, 0, 5)
