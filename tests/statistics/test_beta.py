"""The incomplete beta function, compared with plain sums."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.statistics import beta


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.001, 0.999))
def test_binomial_tails_are_sums(n: int, k: int, p: float) -> None:
    """P(X ≥ k) equals the sum of the binomial's terms."""
    expected = sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))
    assert beta.at_least(k, n, p) == pytest.approx(expected, abs=1e-12)
    assert beta.at_most(k - 1, n, p) == pytest.approx(1 - expected, abs=1e-12)


def test_known_answers() -> None:
    """Known values: I_0.5(2, 3) = 11/16, the arcsine law, and the ends of the range."""
    assert beta.cdf([0.5, 0.5, 0, 1], [2, 0.5, 3, 3], [3, 0.5, 4, 4]) == pytest.approx([0.6875, 0.5, 0, 1], abs=1e-12)


@given(st.floats(0.01, 0.99), st.floats(1, 1e5), st.floats(1, 1e5))
def test_the_quantile_inverts(share: float, a: float, b: float) -> None:
    """The probability up to the quantile is the given probability."""
    assert beta.cdf(beta.quantile(share, a, b), a, b) == pytest.approx(share, abs=1e-6)


def test_millions_of_trials() -> None:
    """With millions of trials the median is right: the continued fraction converges there too."""
    assert np.abs(beta.at_least(2_000_000, 4_000_000, 0.5) - 0.5) < 1e-3
