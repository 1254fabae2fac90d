"""The estimate of loss, as a sweep makes it: second SYNs to some targets, over simulated draws."""

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
    """In 2,000 draws it holds the true probability in 93–97 of 100, at most 1.2 times as wide as a binomial share must be."""
    draw = np.random.default_rng(20261124)
    asked = draw.binomial(HOSTS, sample, DRAWS)
    second = draw.binomial(asked, sees)
    both = draw.binomial(second, sees)
    told = detection(both, second)
    covered = np.mean((told.low <= sees) & (sees <= told.high))
    theory = 2 * z() * np.sqrt(sees * (1 - sees) / second)
    assert 0.93 <= covered <= 0.97
    assert np.median((told.high - told.low) / theory) <= 1.2
    assert np.mean(told.value) == pytest.approx(sees, abs=0.001)


def test_bursts_make_it_too_bright() -> None:
    """If what hides a host from the first SYN hides it from the second too, the estimate says too much: its bias is that."""
    draw = np.random.default_rng(7)
    hidden = draw.random(HOSTS) < 0.02
    first, second = (~hidden & (draw.random(HOSTS) < 0.99) for _ in range(2))
    told = detection((first & second).sum(), second.sum())
    assert first.mean() == pytest.approx(0.97, abs=0.005)
    assert told.value == pytest.approx(0.99, abs=0.005)
