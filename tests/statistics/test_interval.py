"""The exact interval of a share."""

import numpy as np
import pytest

from pipeline.statistics import beta
from pipeline.statistics.interval import LEVEL, share, z


@pytest.mark.parametrize(
    ("k", "n", "low", "high"), [(0, 10, 0.0, 0.30850), (1, 10, 0.00253, 0.44502), (5, 10, 0.18709, 0.81291), (10, 10, 0.69150, 1.0)]
)  # fmt: skip
def test_clopper_pearson(k: int, n: int, low: float, high: float) -> None:
    """The ends are those of published tables."""
    estimate = share(k, n)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((k / n, low, high), abs=1e-5)


def test_no_trials() -> None:
    """Without trials the estimate is NaN and every share is possible."""
    estimate = share(0, 0)
    assert np.isnan(estimate.value) and (estimate.low, estimate.high) == (0, 1)


@pytest.mark.parametrize("n", [5, 20, 100])
def test_coverage(n: int) -> None:
    """Summed exactly over all counts, the interval contains the truth with at least 95 %, whatever the truth is."""
    k = np.arange(n + 1)
    estimate = share(k, n)
    for truth in np.linspace(0.01, 0.99, 25):
        mass = beta.at_least(k, n, truth) - beta.at_least(k + 1, n, truth)
        assert mass[(estimate.low <= truth) & (truth <= estimate.high)].sum() >= LEVEL - 1e-9


def test_z() -> None:
    """The normal quantile of 95 % is 1.96."""
    assert z() == pytest.approx(1.959964, abs=1e-6)
