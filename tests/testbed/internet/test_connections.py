"""The table of open connections."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.testbed.internet.connections import NONE, Keys, SimulatedConnections, keys

KEYS = st.lists(st.integers(0, 20_000), unique=True, min_size=1, max_size=300)


def opened(connections: SimulatedConnections, addresses: list[int]) -> list[int]:
    """Open connections from addresses, and enter the addresses in the connections' rows, as the responder does."""
    slots = connections.open(_keys(addresses))
    connections.rows["address"][slots] = addresses
    return slots.tolist()


def _keys(addresses: list[int]) -> Keys:
    none = np.zeros(len(addresses), dtype=np.uint16)
    return keys(np.array(addresses, dtype=np.uint32), none, none)


@given(KEYS, st.data())
def test_each_has_its_own_slot(addresses: list[int], draw: st.DataObject) -> None:
    """Open connections are found in their slots; forgotten connections are not found, and the others remain."""
    connections = SimulatedConnections()
    slots = opened(connections, addresses)
    assert len(set(slots)) == len(addresses)
    forgotten = set(draw.draw(st.lists(st.sampled_from(addresses), unique=True)))
    connections.forget(
        np.array([slot for slot, key in zip(slots, addresses, strict=True) if key in forgotten], dtype=np.int64)
    )
    current = connections.find(_keys(addresses)).tolist()
    assert current == [NONE if key in forgotten else slot for slot, key in zip(slots, addresses, strict=True)]
    assert len(connections) == len(addresses) - len(forgotten)


def test_the_arrays_grow() -> None:
    """Ten thousand connections are open at once, each with its own row."""
    connections = SimulatedConnections()
    addresses = list(range(10_000))
    slots = opened(connections, addresses[:5000]) + opened(connections, addresses[5000:])
    assert connections.rows["address"][slots].tolist() == addresses


def test_a_reopened_connection_has_a_new_generation() -> None:
    """The same key takes the same slot with a new generation, so old events are recognised."""
    connections = SimulatedConnections()
    (first,) = opened(connections, [7])
    generation = int(connections.rows["generation"][first])
    assert opened(connections, [7]) == [first]
    assert connections.rows["generation"][first] == generation + 1
