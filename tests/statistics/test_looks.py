"""Second looks."""

import numpy as np
import pytest

from pipeline.statistics.looks import WEIGHTS, looks, possible


def test_what_the_counts_allow() -> None:
    """The possible detections average to the share of the counts, spread as its standard error says, and stay within 0 and 1."""
    found, weights = possible(looks(900, 1000))
    mean = (found * weights).sum()
    assert weights.sum() == pytest.approx(1) and mean == pytest.approx(0.9, abs=0.002)
    assert np.sqrt(((found - mean) ** 2 * weights).sum()) == pytest.approx(np.sqrt(0.9 * 0.1 / 1000), rel=0.1)
    for counts in ((87, 87), (1, 3)):
        found = looks(*counts).possible()
        assert np.all((found > 0) & (found <= 1)) and found.shape == WEIGHTS.shape


def test_a_known_detection_has_one_value() -> None:
    """A detection that is known is one value of weight 1; that of counts has the exact interval of a share."""
    found, weights = possible(0.95)
    assert found.tolist() == [0.95] and weights.tolist() == [1]
    interval = looks(50, 50).detection()
    assert interval.high == 1 and interval.low == pytest.approx(0.025 ** (1 / 50))
