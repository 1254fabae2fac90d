"""The order of the addresses: a bijection with an inverse, and without structure that a test can detect."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import permutation_quality as quality
from pipeline.space.permutation import ROUNDS, Permutation

#: Orders that were frozen: a change here would give other targets to the shards of every plan in progress.
VECTORS = [
    # size, seed, the values at indices 0, 1, 2, size // 2 and size − 1
    (1000, 1, [310, 298, 21, 846, 519]),
    (65537, 20260211, [41409, 9845, 27807, 35427, 49562]),
    (3_702_258_432, 0, [3247324237, 1959594629, 3095707397, 3695304727, 3109082654]),
    (2**32, 2**63 - 1, [3509744072, 1359350971, 2945195323, 4147709095, 4224454949]),
]
KEYS = 12


@pytest.mark.parametrize(("size", "seed", "values"), VECTORS)
def test_vectors(size: int, seed: int, values: list[int]) -> None:
    """The order of a seed never changes."""
    index = np.array([0, 1, 2, size // 2, size - 1])
    assert Permutation.seeded(size, seed).forward(index).tolist() == values


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
    """Sizes at and around squares and powers of two are permuted completely."""
    assert np.array_equal(np.sort(Permutation.seeded(size, 7).forward(np.arange(size))), np.arange(size))


@given(st.integers(2**31, 2**32), st.integers(0, 2**32), st.data())
def test_large_sizes(size: int, seed: int, data: st.DataObject) -> None:
    """Up to 2^32 addresses, the inverse undoes the permutation and nothing leaves the space."""
    index = np.array(data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=50)))
    permutation = Permutation.seeded(size, seed)
    values = permutation.forward(index)
    assert values.dtype == np.uint32 and values.max() < size
    assert np.array_equal(permutation.inverse(values), index)


def test_the_argument_is_left_alone() -> None:
    """The argument is not written to, whatever its type."""
    for kind in (np.int64, np.uint32, np.uint64):
        index = np.arange(100).astype(kind)
        Permutation.seeded(100, 3).forward(index)
        assert np.array_equal(index, np.arange(100))


@pytest.mark.parametrize("size", [quality.SIZE, 2**32, 50_000_017])
@pytest.mark.parametrize("name", quality.TESTS)
def test_no_structure_is_seen(name: str, size: int) -> None:
    """Over many keys the order looks random: prefixes over /8s and /16s, successive targets, neighbouring seeds."""
    seen = list(quality.scores(name, ROUNDS, KEYS, size=size, prefix=1 << 16))
    assert abs(quality.combined(seen)) < 4
    assert sum(z * z for z in seen) < KEYS + 5 * math.sqrt(2 * KEYS)


@pytest.mark.parametrize("name", ["prefix over /8s", "successive differences", "neighbouring seeds, differences"])
def test_the_tests_can_fail(name: str) -> None:
    """Two rounds are too few, and these tests detect it."""
    assert quality.combined(list(quality.scores(name, 2, 4))) > 10


def test_successive_targets_share_a_block_by_chance_alone() -> None:
    """Two successive targets fall into one /24 as often as by chance, in a space where that happens often."""
    size, pairs, together = 1 << 20, 0, 0
    for seed in range(8):
        order = Permutation.seeded(size, seed).forward(np.arange(1 << 18)).astype(np.int64)
        together += int(np.count_nonzero(np.diff(order >> 8) == 0))
        pairs += len(order) - 1
    expected = pairs * 255 / (size - 1)
    assert abs(together - expected) < 4.5 * math.sqrt(expected)
