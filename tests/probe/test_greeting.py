"""The stateless greeting: segments of many hosts, many of each, are taken in rounds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.probe.greeting import _rounds


@given(st.lists(st.integers(0, 8), max_size=40))
def test_each_segment_has_its_turn(slots: list[int]) -> None:
    """Every segment is in one round; no round has two of a host, and the n-th of a host is in the n-th."""
    rounds = [chosen.tolist() for chosen in _rounds(np.array(slots, dtype=np.int64))]
    assert sorted(place for chosen in rounds for place in chosen) == list(range(len(slots)))
    for number, chosen in enumerate(rounds):
        assert [slots[:place].count(slots[place]) for place in chosen] == [number] * len(chosen)


def test_nothing_has_no_rounds() -> None:
    """Without segments there is no round."""
    assert list(_rounds(np.zeros(0, dtype=np.int64))) == []
