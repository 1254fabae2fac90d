"""Samples of the targets: disjoint, of the right size, and unpredictable without the key."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.probe.sampling import VALUES, disjoint_samples, sampling_values
from pipeline.wire.cookie import Secret

SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=5)
EDGES = np.array([0, 1, VALUES // 3, VALUES // 2, VALUES - 2, VALUES - 1], dtype=np.uint32)


@given(SHARES, st.lists(st.integers(0, VALUES - 1), max_size=50))
def test_samples_are_disjoint_and_have_their_size(shares: list[float], values: list[int]) -> None:
    """No value is in two samples if their shares add up to at most 1, and each sample has its share of all values."""
    scaled = [share / max(1.0, sum(shares) * 1.000001) for share in shares]
    tried = np.concatenate((EDGES, np.array(values, dtype=np.uint32)))
    assert (sum(sample.contains(tried).astype(int) for sample in disjoint_samples(*scaled)) <= 1).all()
    assert [sample.size for sample in disjoint_samples(*shares)] == [round(share * VALUES) for share in shares]


def test_the_whole_is_all() -> None:
    """A sample of everything contains every value, wherever it begins; an empty sample contains none."""
    _, whole, nothing = disjoint_samples(0.3, 1.0, 0.0)
    assert whole.contains(EDGES).all()
    assert not nothing.contains(EDGES).any()


def test_values_are_scattered_and_depend_on_the_key() -> None:
    """Neighbouring tags have different values, as many in each half; another key gives other values."""
    tags = np.arange(100_000, dtype=np.uint32)
    values = sampling_values(Secret(1, 2), tags)
    assert len(np.unique(values)) == len(tags)
    assert abs(int((values < VALUES // 2).sum()) - 50_000) < 5 * 158
    for other in (Secret(3, 2), Secret(1, 4)):
        assert (sampling_values(other, tags) != values).mean() > 0.99
