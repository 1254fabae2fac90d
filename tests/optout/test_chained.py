"""Chained lines: whatever was changed in the middle is noticed at the next line, whatever the events say."""

from datetime import UTC, datetime

import msgspec
import pytest

from pipeline.errors import InputError
from pipeline.optout.chained import NOTHING_BEFORE, Event, Unfinished, chain, digest, digests, parse

EVENTS = [Event(at=datetime(2026, 11, 24, tzinfo=UTC), who=who) for who in ("a", "b", "c")]


def event(line: bytes, where: str) -> Event:
    return msgspec.json.decode(line, type=Event)


def test_lines_are_read_back_whole_or_from_where_they_were_left() -> None:
    """All events come back, also if the first lines were read earlier."""
    data = chain(EVENTS, NOTHING_BEFORE)
    whole = parse(data, "x", event)
    begun = parse(data[: data.index(b"\n") + 1], "x", event)
    assert [each.who for each in whole.events] == ["a", "b", "c"] and parse(data, "x", event, begun) == whole
    assert chain(EVENTS[1:], begun.last) == data[begun.size :]


@pytest.mark.parametrize("change", ["alter", "remove", "swap"])
def test_a_changed_line_breaks_the_chain(change: str) -> None:
    """A line that is altered, removed or swapped is noticed."""
    first, second, third = chain(EVENTS, NOTHING_BEFORE).splitlines(keepends=True)
    changed = {"alter": [first.replace(b'"a"', b'"x"'), second], "remove": [first, third], "swap": [second, first]}
    with pytest.raises(InputError, match="the chain is broken"):
        parse(b"".join(changed[change]), "x", event)


def test_a_line_without_an_end_is_unfinished() -> None:
    """A last line without its end is told from a broken one: it may be being written."""
    with pytest.raises(Unfinished):
        parse(chain(EVENTS, NOTHING_BEFORE)[:-1], "x", event)


def test_digests_are_those_of_every_earlier_length() -> None:
    """The digests of a register are of all that it was once."""
    data = chain(EVENTS, NOTHING_BEFORE)
    ends = [0, *(at + 1 for at, byte in enumerate(data) if byte == ord("\n"))]
    assert digests(data) == {digest(data[:end]) for end in ends}
