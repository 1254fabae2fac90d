"""The rows of greeted hosts, and their wheel."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.probe.connections import CONNECTION, INITIAL_ROWS, OVER, Connections, TimerQueue


@given(st.lists(st.integers(0, 700), max_size=12), st.integers(0, 11))
def test_no_slot_is_given_twice(counts: list[int], keep: int) -> None:
    """Slots in use are all different, whatever was given back before."""
    hosts, used = Connections(), []
    for number, count in enumerate(counts):
        used.append(hosts.take(count))
        if number == keep:
            hosts.give_back(used.pop(0))
    together = np.concatenate([np.zeros(0, np.int64), *used])
    assert len(np.unique(together)) == len(together) == len(hosts)
    assert len(hosts.rows) >= INITIAL_ROWS


def test_rows_outlive_growth() -> None:
    """What stands in a row stands there when the arrays have grown."""
    hosts = Connections()
    (slot,) = hosts.take(1)
    hosts.rows["address"][slot], hosts.rows["state"][slot] = 7, OVER
    hosts.take(10 * INITIAL_ROWS)
    assert (hosts.rows["address"][slot], hosts.rows["state"][slot]) == (7, OVER)


def test_a_row_is_small() -> None:
    """A host takes less than a hundred bytes, so a million of them less than 100 MB."""
    assert CONNECTION.itemsize + 2 * 8 <= 100


def test_a_wheel_turns_in_order() -> None:
    """Who came first is due first, and nobody before the patience is over."""
    wheel = TimerQueue(3.0)
    wheel.add(np.array([1]), 10.0)
    wheel.add(np.array([2, 3]), 11.0)
    assert (wheel.next_due, list(wheel.due(12.9))) == (13.0, [])
    assert [slots.tolist() for slots in wheel.due(13.5)] == [[1]]
    assert [slots.tolist() for slots in wheel.due(20.0)] == [[2, 3]]
    assert wheel.next_due == float("inf")
