"""Whose turn it is."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pipeline.associate.limits import Turns

ADDRESSES = st.lists(st.integers(0, 1100), max_size=60)


@given(ADDRESSES, st.integers(1, 8), st.integers(1, 4), st.data())
def test_caps_hold_and_everybody_comes(targets: list[int], at_once: int, per_slash24: int, data: st.DataObject) -> None:
    """However conversations end, no cap is ever exceeded, and each target gets its turn once."""
    turns: Turns[int] = Turns(at_once, per_slash24)
    for number, address in enumerate(targets):
        turns.add(address, number)
    open_: list[tuple[int, int]] = []
    served = []
    while turns or open_:
        while taken := turns.take():
            open_.append(taken)
        assert len(open_) == turns.open <= at_once
        assert max(Counter(address >> 8 for address, _ in open_).values()) <= per_slash24
        assert len({address for address, _ in open_}) == len(open_)
        address, number = open_.pop(data.draw(st.integers(0, len(open_) - 1)))
        served.append(number)
        turns.over(address)
    assert sorted(served) == list(range(len(targets)))


def test_a_busy_block_holds_nobody_else_up() -> None:
    """While one /24 has as many as it may, targets of others are served."""
    turns: Turns[str] = Turns(10, 1)
    for address, name in ((256, "first"), (257, "second"), (512, "other")):
        turns.add(address, name)
    assert [turns.take(), turns.take(), turns.take()] == [(256, "first"), (512, "other"), None]
    turns.over(256)
    assert turns.take() == (257, "second")


def test_those_who_waited_aside_come_first() -> None:
    """A target that waited for its /24 is served before those that came after it."""
    turns: Turns[str] = Turns(1, 1)
    for address, name in ((256, "a"), (256, "b"), (512, "c")):
        turns.add(address, name)
    assert turns.take() == (256, "a")
    turns.over(256)
    assert turns.take() == (256, "b")
