"""Probes computed ahead are those of the walk, in order, whatever pieces are taken; withheld targets are left out."""

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
    """Whatever number is taken at a time, range after range, the probes are the walk's targets in order, with their cookies."""
    buffer = ProbeBuffer(WALK, SECRET)
    for range_ in WALK.ranges(shard):
        position, taken = 0, []
        for count in (*counts, range_.length):
            least = min(count, range_.length - position)
            pieces = list(buffer.take(range_, position, least))
            assert sum(map(len, pieces)) == least
            taken += pieces
            position += least
        whole = Probes.of(SECRET, *WALK.targets(shard, range_.first_index, range_.last_index + 1))
        assert np.concatenate([piece.addresses for piece in taken]).tolist() == whole.addresses.tolist()
        assert np.concatenate([piece.ports for piece in taken]).tolist() == whole.ports.tolist()
        for name in ("source_port", "sequence"):
            column = np.concatenate([getattr(piece.cookie, name) for piece in taken])
            assert column.tolist() == getattr(whole.cookie, name).tolist()


def test_a_range_may_begin_again() -> None:
    """A range that is begun again, at any position, has the same probes as before."""
    (range_, other, *_), buffer = list(WALK.ranges(0)), ProbeBuffer(WALK, SECRET)
    (first,) = buffer.take(range_, 100, 50)
    list(buffer.take(other, 0, 10))
    (again,) = buffer.take(range_, 100, 50)
    (earlier,) = buffer.take(range_, 0, 120)
    assert first.addresses.tolist() == again.addresses.tolist()
    assert earlier.addresses[100:].tolist() == first.addresses[:20].tolist()


def test_a_register_that_adds_nothing_costs_nothing() -> None:
    """With no target to withhold, the same probes object is returned, not a copy."""
    probes = Probes.of(SECRET, ADDRESSES, PORTS)
    allowed, which = probes.without(Ranges.of(()))
    assert allowed is probes
    assert which.tolist() == list(range(10))


def test_withheld_targets_are_left_out() -> None:
    """Probes to withheld addresses are left out; the others keep their ports, cookies and order."""
    probes = Probes.of(SECRET, ADDRESSES, PORTS)
    allowed, which = probes.without(Ranges.of([(0, 11), (15, 17)]))
    assert which.tolist() == [2, 3, 4, 8, 9]
    assert allowed.addresses.tolist() == [12, 13, 14, 18, 19]
    assert allowed.ports.tolist() == [2, 3, 4, 8, 9]
    assert allowed.cookie.sequence.tolist() == probes.cookie.sequence[which].tolist()
