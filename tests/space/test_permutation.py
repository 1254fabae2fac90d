"""The order of the addresses: a bijection with an inverse, and no structure that a test can see."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.space.permutation import Permutation

#: The 1 − 10⁻⁶ quantile of chi-squared with 255 degrees of freedom.
CHI_SQUARED_LIMIT = 377


@settings(deadline=None)
@given(st.integers(1, 3000), st.integers(0, 2**63))
def test_bijection(size: int, seed: int) -> None:
    """For every size and seed each value comes exactly once, and the inverse finds its index."""
    permutation = Permutation.seeded(size, seed)
    index = np.arange(size)
    values = permutation.forward(index)
    assert np.array_equal(np.sort(values), index)
    assert np.array_equal(permutation.inverse(values), index)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 255, 256, 257, 65535, 65536, 65537, 2**20 - 1])
def test_edge_sizes(size: int) -> None:
    """Sizes at and around squares and powers of two are permuted whole."""
    assert np.array_equal(np.sort(Permutation.seeded(size, 7).forward(np.arange(size))), np.arange(size))


@settings(deadline=None)
@given(st.integers(2**31, 2**32), st.integers(0, 2**32), st.data())
def test_large_sizes(size: int, seed: int, data: st.DataObject) -> None:
    """Up to 2^32 addresses, the inverse undoes the permutation and nothing leaves the space."""
    index = np.array(data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=50)))
    permutation = Permutation.seeded(size, seed)
    values = permutation.forward(index)
    assert values.min() >= 0 and values.max() < size
    assert np.array_equal(permutation.inverse(values), index)


@pytest.mark.parametrize("seed", [0, 1, 2, 12345, 20260211, 2**63])
@pytest.mark.parametrize("size", [2**22, 3_700_000_001])
def test_prefix_is_uniform(seed: int, size: int) -> None:
    """The first addresses of the order fall evenly into 256 equal parts of the space."""
    drawn = 65536
    values = Permutation.seeded(size, seed).forward(np.arange(drawn))
    counts = np.bincount(values * 256 // size, minlength=256)
    expected = drawn / 256
    assert float(((counts - expected) ** 2 / expected).sum()) < CHI_SQUARED_LIMIT


def test_seed_decides() -> None:
    """The same seed gives the same order and another seed another one."""
    index = np.arange(1000)
    first = Permutation.seeded(1000, 1).forward(index)
    assert np.array_equal(first, Permutation.seeded(1000, 1).forward(index))
    assert np.count_nonzero(first == Permutation.seeded(1000, 2).forward(index)) < 20
