"""The interval of a share by Wilson."""

import pytest

from pipeline.statistics.wilson import wilson


@pytest.mark.parametrize(
    ("k", "n", "low", "high"), [(85, 180, 0.40057, 0.54496), (0, 10, 0.0, 0.27753), (10, 10, 0.72247, 1.0)]
)
def test_ends_are_those_of_the_formula(k: int, n: int, low: float, high: float) -> None:
    """The ends are those that the formula gives by hand; none is outside 0 and 1."""
    assert wilson(k, n) == pytest.approx((low, high), abs=5e-4)
