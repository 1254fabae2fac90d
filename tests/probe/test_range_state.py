"""The state of a range, from its first probe to its final counts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.probe.clock import MODULUS, Clock
from pipeline.probe.fin_wait import SETTLED, UNSEEN
from pipeline.probe.range_state import OpenRange
from pipeline.space.permutation import Permutation
from pipeline.space.ranges import Ranges, Space
from pipeline.space.shard import Range, Walk

POSITIONS = st.lists(st.integers(0, 99))
SPACE = Space.over(Ranges.of([(1000, 1099)]))
WALK = Walk(SPACE, Permutation.seeded(100, 1), (104, 11112), 100, shards=2, range_targets=40)


@given(st.integers(3, 10**7))
def test_round_trips_begin_when_a_target_was_probed(now: int) -> None:
    """A target's round trip counts from its own batch, whatever the clock shows."""
    opened = OpenRange.begin(Range(0, 0, 0, 29), 0.0)
    for late in (3, 2, 1):
        opened.mark_sent(10, Clock(float(now - late), 0))
    assert opened.next_position == 30
    taken = np.full(6, Clock(float(now), 0).us % MODULUS, dtype=np.uint32)
    assert (opened.rtt_us(np.array([0, 9, 10, 19, 20, 29]), taken) / 1e6).tolist() == [3, 3, 2, 2, 1, 1]


@given(st.integers(0, MODULUS - 1), st.integers(1, 999_999))
def test_an_answer_that_came_before_its_batch_had_left_took_no_time(sent: int, early: int) -> None:
    """An answer within a second before its batch was noted has a round trip of 0, also where the clock comes round."""
    opened = OpenRange.begin(Range(0, 0, 0, 1), 0.0)
    opened.sent_us[:] = sent
    taken = np.array([(sent - early) % MODULUS, (sent + early) % MODULUS], dtype=np.uint32)
    assert opened.rtt_us(np.array([0, 1]), taken).tolist() == [0, early]


def test_visited_targets_are_settled_at_their_positions() -> None:
    """Targets that an earlier attempt visited are settled, and no others; targets of another range change nothing."""
    for range_ in WALK.ranges(1):
        opened = OpenRange.begin(range_, 0.0)
        addresses, ports = WALK.targets(1, range_.first_index, range_.last_index + 1)
        elsewhere = WALK.targets(0, 0, 10)
        opened.mark_visited(WALK, (addresses[::3], ports[::3]))
        opened.mark_visited(WALK, elsewhere)
        assert (opened.state[::3] == SETTLED).all()
        assert (np.delete(opened.state, np.s_[::3]) == UNSEEN).all()


def test_a_range_is_complete_if_all_is_sent_and_greeted() -> None:
    """A range is not complete while a target is not probed or an answer not greeted."""
    opened = OpenRange.begin(Range(0, 0, 0, 29), 0.0)
    opened.mark_sent(29, Clock(0.0, 0))
    assert (opened.all_sent, opened.complete) == (False, False)
    opened.mark_sent(1, Clock(0.0, 0))
    assert (opened.all_sent, opened.complete) == (True, True)
    opened.ungreeted += 1
    assert (opened.all_sent, opened.complete) == (True, False)


@given(POSITIONS, POSITIONS, POSITIONS, POSITIONS)
def test_second_syns_are_counted_by_target(
    first: list[int], second: list[int], seen: list[int], control: list[int]
) -> None:
    """Each target with a second SYN counts once, by the SYNs that it answered, however often its answers arrived."""
    opened = OpenRange.begin(Range(0, 0, 0, 99), 0.0)
    opened.answered[first] = True
    opened.extra_sent["second"] += [np.array(second, dtype=np.int64)]
    opened.extra_answered["second"] += [np.array([at for at in seen if at in second], dtype=np.int64)] * 2
    opened.extra_sent["control"] += [np.array(control, dtype=np.int64)]
    ip, port, once, twice = opened.second_syns(WALK)
    of_target = dict(zip(zip(ip.tolist(), port.tolist(), strict=True), zip(once, twice, strict=True), strict=True))
    all_ip, all_port = (column.tolist() for column in WALK.targets(0, 0, 100))
    counts = opened.final_counts()
    probed, one, two = set(second), set(first), set(seen)
    assert counts.second_probes == len(probed)
    assert counts.seen_twice == len(probed & one & two)
    assert counts.first_only == len((probed & one) - two)
    assert counts.second_only == len((probed & two) - one)
    assert counts.control_probes == len(set(control))
    assert of_target == {(all_ip[at], all_port[at]): (at in one, at in two) for at in probed if at in one or at in two}
