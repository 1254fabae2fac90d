"""Probes worked out ahead are those of the walk, in its order, however they are taken; what the register withholds is left out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.probe.probes import ProbeBuffer, Probes
from pipeline.space.permutation import Permutation
from pipeline.space.ranges import Ranges, Space
from pipeline.space.shard import Walk
from pipeline.wire.cookie import Secret

ADDRESSES = np.arange(10, 20, dtype=np.uint32)
PORTS = np.arange(10, dtype=np.uint16)
SECRET = Secret.of(bytes(range(8)))
SPACE = Space.over(Ranges.of([(1000, 60_000)]))
WALK = Walk(SPACE, Permutation.seeded(SPACE.count, 3), (104, 11112), SPACE.count, 3, 20_000)


@given(st.lists(st.integers(1, 9000), min_size=1, max_size=12), st.integers(0, 2))
def test_they_are_those_of_the_walk(counts: list[int], shard: int) -> None:
    """Whatever number is taken at a time, range after range, they are the walk's targets in its order, with their cookies."""
    ahead = ProbeBuffer(WALK, SECRET)
    for chosen in WALK.ranges(shard):
        begin, found = 0, []
        for count in (*counts, chosen.length):
            least = min(count, chosen.length - begin)
            pieces = list(ahead.take(chosen, begin, least))
            assert sum(map(len, pieces)) == least
            found += pieces
            begin += least
        whole = Probes.of(SECRET, *WALK.targets(shard, chosen.first_index, chosen.last_index + 1))
        assert np.concatenate([each.addresses for each in found]).tolist() == whole.addresses.tolist()
        assert np.concatenate([each.ports for each in found]).tolist() == whole.ports.tolist()
        for name in ("source_port", "sequence"):
            told = np.concatenate([getattr(each.cookie, name) for each in found])
            assert told.tolist() == getattr(whole.cookie, name).tolist()


def test_a_range_may_begin_again() -> None:
    """A range that is taken up again, from any place, has the same probes as before."""
    (chosen, other, *_), ahead = list(WALK.ranges(0)), ProbeBuffer(WALK, SECRET)
    (first,) = ahead.take(chosen, 100, 50)
    list(ahead.take(other, 0, 10))
    (again,) = ahead.take(chosen, 100, 50)
    (earlier,) = ahead.take(chosen, 0, 120)
    assert first.addresses.tolist() == again.addresses.tolist()
    assert earlier.addresses[100:].tolist() == first.addresses[:20].tolist()


def test_a_register_that_adds_nothing_costs_nothing() -> None:
    """With nothing to withhold probes go through untouched, not even copied."""
    probes = Probes.of(SECRET, ADDRESSES, PORTS)
    asked, places = probes.but(Ranges.of(()))
    assert asked is probes
    assert places.tolist() == list(range(10))


def test_withheld_targets_are_left_out() -> None:
    """Probes to withheld addresses are left out, the others keep their ports, cookies and order."""
    probes = Probes.of(SECRET, ADDRESSES, PORTS)
    asked, places = probes.but(Ranges.of([(0, 11), (15, 17)]))
    assert places.tolist() == [2, 3, 4, 8, 9]
    assert asked.addresses.tolist() == [12, 13, 14, 18, 19]
    assert asked.ports.tolist() == [2, 3, 4, 8, 9]
    assert asked.cookie.sequence.tolist() == probes.cookie.sequence[places].tolist()
