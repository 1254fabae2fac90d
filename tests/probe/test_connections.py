"""The connection table and its timers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.probe.connections import CONNECTION, INITIAL_ROWS, OVER, ConnectionTable, TimerQueue


@given(st.lists(st.integers(0, 700), max_size=12), st.integers(0, 11))
def test_no_slot_is_given_twice(counts: list[int], keep: int) -> None:
    """Slots in use are all different, whichever slots were released before."""
    table, used = ConnectionTable(), []
    for number, count in enumerate(counts):
        used.append(table.allocate(count))
        if number == keep:
            table.release(used.pop(0))
    together = np.concatenate([np.zeros(0, np.int64), *used])
    assert len(np.unique(together)) == len(together) == len(table)
    assert len(table.rows) >= INITIAL_ROWS


def test_rows_outlive_growth() -> None:
    """A row keeps its content when the arrays grow."""
    table = ConnectionTable()
    (slot,) = table.allocate(1)
    table.rows["address"][slot], table.rows["state"][slot] = 7, OVER
    table.allocate(10 * INITIAL_ROWS)
    assert (table.rows["address"][slot], table.rows["state"][slot]) == (7, OVER)


def test_a_row_is_small() -> None:
    """A host takes less than a hundred bytes, so a million hosts take less than 100 MB."""
    assert CONNECTION.itemsize + 2 * 8 <= 100


def test_timers_end_in_order() -> None:
    """The slots that were added first are due first, and no slot is due before its delay is over."""
    timers = TimerQueue(3.0)
    timers.add(np.array([1]), 10.0)
    timers.add(np.array([2, 3]), 11.0)
    assert (timers.next_due, list(timers.due(12.9))) == (13.0, [])
    assert [slots.tolist() for slots in timers.due(13.5)] == [[1]]
    assert [slots.tolist() for slots in timers.due(20.0)] == [[2, 3]]
    assert timers.next_due == float("inf")
