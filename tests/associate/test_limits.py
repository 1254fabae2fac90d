"""Limits on concurrent conversations."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pipeline.associate.limits import AdmissionQueue

ADDRESSES = st.lists(st.integers(0, 1100), max_size=60)


@given(ADDRESSES, st.integers(1, 8), st.integers(1, 4), st.data())
def test_limits_hold_and_every_target_is_visited(
    targets: list[int], at_once: int, per_slash24: int, data: st.DataObject
) -> None:
    """In whatever order conversations end, no limit is exceeded, and each target is visited once."""
    queue: AdmissionQueue[int] = AdmissionQueue(at_once, per_slash24)
    for number, address in enumerate(targets):
        queue.add(address, number)
    open_: list[tuple[int, int]] = []
    visited = []
    while queue or open_:
        while taken := queue.take():
            open_.append(taken)
        assert len(open_) == queue.open <= at_once
        assert max(Counter(address >> 8 for address, _ in open_).values()) <= per_slash24
        assert len({address for address, _ in open_}) == len(open_)
        address, number = open_.pop(data.draw(st.integers(0, len(open_) - 1)))
        visited.append(number)
        queue.release(address)
    assert sorted(visited) == list(range(len(targets)))


def test_a_busy_block_does_not_delay_others() -> None:
    """While one /24 is at its limit, targets of other /24s are visited."""
    queue: AdmissionQueue[str] = AdmissionQueue(10, 1)
    for address, name in ((256, "first"), (257, "second"), (512, "other")):
        queue.add(address, name)
    assert [queue.take(), queue.take(), queue.take()] == [(256, "first"), (512, "other"), None]
    queue.release(256)
    assert queue.take() == (257, "second")


def test_deferred_targets_come_first() -> None:
    """A target deferred for its /24 is visited before targets that were added later."""
    queue: AdmissionQueue[str] = AdmissionQueue(1, 1)
    for address, name in ((256, "a"), (256, "b"), (512, "c")):
        queue.add(address, name)
    assert queue.take() == (256, "a")
    queue.release(256)
    assert queue.take() == (256, "b")
