"""The estimate of loss from second SYNs to a sample of targets, over simulated draws."""

import numpy as np
import pytest

from pipeline.statistics.interval import z
from pipeline.statistics.recapture import detection

DRAWS = 2000
HOSTS = 20_000


@pytest.mark.parametrize(
    ("sees", "sample"), [(0.98, 0.2), (0.96, 0.1), (0.9, 0.2)], ids=["2 % lost", "4 % lost", "10 % lost"]
)
def test_the_interval_covers_the_truth_and_is_as_narrow_as_theory(sees: float, sample: float) -> None:
    """The interval contains the true probability in 93–97 % of 2,000 draws, and is at most 1.2 times as wide as in theory."""
    draw = np.random.default_rng(20261124)
    sampled = draw.binomial(HOSTS, sample, DRAWS)
    second = draw.binomial(sampled, sees)
    both = draw.binomial(second, sees)
    estimate = detection(both, second)
    covered = np.mean((estimate.low <= sees) & (sees <= estimate.high))
    theory = 2 * z() * np.sqrt(sees * (1 - sees) / second)
    assert 0.93 <= covered <= 0.97
    assert np.median((estimate.high - estimate.low) / theory) <= 1.2
    assert np.mean(estimate.value) == pytest.approx(sees, abs=0.001)


def test_bursts_bias_it() -> None:
    """If the same fault hides a host from both SYNs, detection is overestimated by the share of these hosts."""
    draw = np.random.default_rng(7)
    hidden = draw.random(HOSTS) < 0.02
    first, second = (~hidden & (draw.random(HOSTS) < 0.99) for _ in range(2))
    estimate = detection((first & second).sum(), second.sum())
    assert first.mean() == pytest.approx(0.97, abs=0.005)
    assert estimate.value == pytest.approx(0.99, abs=0.005)
