"""Lots: who is drawn for what."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.probe.sampling import VALUES, disjoint_samples, sampling_values
from pipeline.wire.cookie import Secret

SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=5)
EDGES = np.array([0, 1, VALUES // 3, VALUES // 2, VALUES - 2, VALUES - 1], dtype=np.uint32)


@given(SHARES, st.lists(st.integers(0, VALUES - 1), max_size=50))
def test_lots_are_disjoint_and_as_large_as_asked(shares: list[float], draws: list[int]) -> None:
    """No draw is in two lots if their shares are no more than the whole, and each lot has its share of all values."""
    scaled = [share / max(1.0, sum(shares) * 1.000001) for share in shares]
    drawn = np.concatenate((EDGES, np.array(draws, dtype=np.uint32)))
    assert (sum(lot.holds(drawn).astype(int) for lot in disjoint_samples(*scaled)) <= 1).all()
    assert [lot.size for lot in disjoint_samples(*shares)] == [round(share * VALUES) for share in shares]


def test_the_whole_is_all() -> None:
    """A lot of everything holds every draw, wherever it begins; one of nothing holds none."""
    _, whole, nothing = disjoint_samples(0.3, 1.0, 0.0)
    assert whole.holds(EDGES).all()
    assert not nothing.holds(EDGES).any()


def test_draws_are_scattered_and_the_keys_own() -> None:
    """Neighbouring tags, all of which differ, have different draws, as many in each half; another key gives others."""
    tags = np.arange(100_000, dtype=np.uint32)
    drawn = sampling_values(Secret(1, 2), tags)
    assert len(np.unique(drawn)) == len(tags)
    assert abs(int((drawn < VALUES // 2).sum()) - 50_000) < 5 * 158
    for other in (Secret(3, 2), Secret(1, 4)):
        assert (sampling_values(other, tags) != drawn).mean() > 0.99
