"""The rows of open connections."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.testbed.internet.connections import NONE, Keys, PeerConnections, keys

KEYS = st.lists(st.integers(0, 20_000), unique=True, min_size=1, max_size=300)


def opened(connections: PeerConnections, wanted: list[int]) -> list[int]:
    """Open connections from addresses, and note them in their rows as the responder does."""
    slots = connections.open(_keys(wanted))
    connections.rows["address"][slots] = wanted
    return slots.tolist()


def _keys(wanted: list[int]) -> Keys:
    none = np.zeros(len(wanted), dtype=np.uint16)
    return keys(np.array(wanted, dtype=np.uint32), none, none)


@given(KEYS, st.data())
def test_each_has_a_slot_of_its_own(wanted: list[int], draw: st.DataObject) -> None:
    """Open connections are found where they were opened; those that were forgotten are not, and the others stay."""
    connections = PeerConnections()
    slots = opened(connections, wanted)
    assert len(set(slots)) == len(wanted)
    gone = set(draw.draw(st.lists(st.sampled_from(wanted), unique=True)))
    connections.forget(np.array([slot for slot, key in zip(slots, wanted, strict=True) if key in gone], dtype=np.int64))
    found = connections.find(_keys(wanted)).tolist()
    assert found == [NONE if key in gone else slot for slot, key in zip(slots, wanted, strict=True)]
    assert len(connections) == len(wanted) - len(gone)


def test_the_arrays_grow() -> None:
    """Ten thousand connections are open at once, each with what was written of it."""
    connections = PeerConnections()
    wanted = list(range(10_000))
    slots = opened(connections, wanted[:5000]) + opened(connections, wanted[5000:])
    assert connections.rows["address"][slots].tolist() == wanted


def test_a_connection_that_begins_again_has_a_new_life() -> None:
    """The same three numbers take the same slot; what was planned for the earlier life can tell."""
    connections = PeerConnections()
    (first,) = opened(connections, [7])
    life = int(connections.rows["life"][first])
    assert opened(connections, [7]) == [first]
    assert connections.rows["life"][first] == life + 1
