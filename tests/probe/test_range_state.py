"""What is concluded of a range when nothing more of it is expected."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.probe.clock import Clock
from pipeline.probe.range_state import OpenRange
from pipeline.space.shard import Range

PLACES = st.lists(st.integers(0, 99))


@given(st.integers(3, 10**7))
def test_round_trips_begin_when_a_target_was_asked(now: int) -> None:
    """A target's round trip counts from the batch that asked it, of several, whatever the clock says."""
    opened = OpenRange.of(Range(0, 0, 0, 29), 0.0)
    for late in (3, 2, 1):
        opened.ask(10, Clock(float(now - late), 0))
    assert opened.next_index == 30
    seconds = opened.rtt_us(np.array([0, 9, 10, 19, 20, 29]), Clock(float(now), 0)) / 1e6
    assert seconds.tolist() == [3, 3, 2, 2, 1, 1]


@given(PLACES, PLACES, PLACES, PLACES)
def test_second_looks_are_counted_by_target(
    first: list[int], second: list[int], seen: list[int], control: list[int]
) -> None:
    """Each target with a second SYN counts once, by which of both it answered, however often its answers came."""
    opened = OpenRange.of(Range(0, 0, 0, 99), 0.0)
    opened.answered[first] = True
    opened.asked["second"] += [np.array(second, dtype=np.int64)]
    opened.heard["second"] += [np.array([place for place in seen if place in second], dtype=np.int64)] * 2
    opened.asked["control"] += [np.array(control, dtype=np.int64)]
    counts = opened.conclude()
    looked, one, two = set(second), set(first), set(seen)
    assert counts.second_probes == len(looked)
    assert counts.seen_twice == len(looked & one & two)
    assert counts.first_only == len((looked & one) - two)
    assert counts.second_only == len((looked & two) - one)
    assert counts.control_probes == len(set(control))
