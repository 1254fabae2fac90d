"""The register: the state after its events, and the detection of changed lines."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from ipaddress import IPv4Network

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.optout.chained import NOTHING_BEFORE, History, Unfinished, chain
from pipeline.optout.events import AnyEvent, Expire, Go, OptOut, Stop, fold, parse

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
TODAY = AT.date()
BLOCKS = st.sampled_from(("192.0.2.0/24", "192.0.2.0/25", "192.0.2.128/26", "192.0.2.7/32"))
DAYS = st.none() | st.integers(-2, 2).map(lambda days: TODAY + timedelta(days))
EVENTS = st.lists(
    st.builds(OptOut, at=st.just(AT), who=st.text(min_size=1, max_size=9), block=BLOCKS, until=DAYS, note=st.text())
    | st.builds(Expire, at=st.just(AT), who=st.just("b"), block=BLOCKS)
    | st.builds(Stop, at=st.just(AT), who=st.just("c"), reason=st.text(min_size=1, max_size=9))
    | st.builds(Go, at=st.just(AT), who=st.just("d")),
    max_size=12,
)


def written(*events: AnyEvent) -> bytes:
    return chain(events, NOTHING_BEFORE)


def opt_out(block: str, until: date | None = None) -> OptOut:
    return OptOut(at=AT, who="a", block=block, until=until)


def plain(events: tuple[AnyEvent, ...]) -> list[AnyEvent]:
    return [msgspec.structs.replace(event, previous="") for event in events]


@given(EVENTS)
def test_what_is_written_is_read(events: list[AnyEvent]) -> None:
    """Events are read as they were written, in order, each on one line with the hash of the line before."""
    data = written(*events)
    history = parse(data, "r")
    assert plain(history.events) == events
    lines = data.split(b"\n")[:-1]
    hashes = [NOTHING_BEFORE, *(hashlib.sha256(line).hexdigest() for line in lines)]
    assert [event.previous for event in history.events] == hashes[:-1]
    assert (history.last, history.size) == (hashes[-1], len(data))


@given(EVENTS, EVENTS)
def test_a_register_is_read_on(before: list[AnyEvent], after: list[AnyEvent]) -> None:
    """Reading only the added lines gives the same result as reading the whole register."""
    begun = parse(written(*before), "r")
    data = written(*before) + chain(after, begun.last)
    assert parse(data, "r", begun) == parse(data, "r")


@given(EVENTS.filter(lambda events: len(events) > 1), st.data())
def test_a_changed_line_is_named(events: list[AnyEvent], data: st.DataObject) -> None:
    """A line that is changed, removed or repeated breaks the chain, and the line of the break is named."""
    lines = written(*events).splitlines(keepends=True)
    index = data.draw(st.integers(0, len(lines) - 2))
    changed = lines[index].replace(b'"at":"2026', b'"at":"2025')
    for kept, broken in (
        ([*lines[:index], changed, *lines[index + 1 :]], index + 2),
        ([*lines[:index], *lines[index + 1 :]], index + 1),
        ([*lines[: index + 1], *lines[index:]], index + 2),
    ):
        with pytest.raises(InputError) as caught:
            parse(b"".join(kept), "r")
        assert caught.value.where == f"r, line {broken}"
        assert "chain" in caught.value.reason


@given(EVENTS.filter(bool), st.data())
def test_half_a_line_is_no_line(events: list[AnyEvent], data: st.DataObject) -> None:
    """A register cut anywhere is read up to a whole line, or is reported as unfinished; half a line is never an event."""
    whole = written(*events)
    cut = data.draw(st.integers(0, len(whole) - 1))
    if cut == 0 or whole[cut - 1 : cut] == b"\n":
        assert plain(parse(whole[:cut], "r").events) == events[: whole[:cut].count(b"\n")]
    else:
        with pytest.raises(Unfinished):
            parse(whole[:cut], "r")


@given(st.binary())
def test_any_bytes_are_judged(data: bytes) -> None:
    """Any bytes are a history, or are refused with the register's name, and cause no other error."""
    try:
        assert isinstance(parse(data, "the register"), History)
    except InputError as error:
        assert error.where.startswith("the register")


@given(EVENTS)
def test_a_state_is_what_the_last_word_left(events: list[AnyEvent]) -> None:
    """The last event of a block counts: an opt-out until its last day, or an expiry; the last stop or go counts too."""
    found = fold(events, TODAY)
    last = {event.block: event for event in events if isinstance(event, OptOut | Expire)}
    holds = {b: e for b, e in last.items() if isinstance(e, OptOut) and (e.until is None or e.until >= TODAY)}
    assert found.opt_outs == holds
    switches = [event for event in events if isinstance(event, Stop | Go)]
    assert found.stop == (switches[-1] if switches and isinstance(switches[-1], Stop) else None)


@given(EVENTS)
def test_addresses_are_those_of_the_blocks(events: list[AnyEvent]) -> None:
    """The opted-out addresses are the union of the blocks in force."""
    found = fold(events, TODAY)
    wanted = {int(address) for name in found.opt_outs for address in IPv4Network(name)}
    got = {address for first, last in found.ranges.pairs() for address in range(first, last + 1)}
    assert got == wanted


def test_an_expired_block_inside_another_stays_out() -> None:
    """The end of one opt-out does not end another opt-out of the same address."""
    events = [opt_out("192.0.2.0/24"), opt_out("192.0.2.7/32"), Expire(at=AT, who="a", block="192.0.2.7/32")]
    assert fold(events, TODAY).ranges.count == 256


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "not an event"),
        (b"# a comment", "not an event"),
        (b'{"event":"erase","at":"2026-11-23T08:00:00Z","who":"a"}', "not an event"),
        (b'{"event":"go","at":"2026-11-23T08:00:00","who":"a"}', "not an event"),
        (b'{"event":"go","at":"2026-11-23T08:00:00Z","who":"a","colour":"red"}', "not an event"),
        (b'{"event":"stop","at":"2026-11-23T08:00:00Z","who":"a"}', "not an event"),
        (written(opt_out("192.0.2.1/24")).strip(), "host bits"),
        (written(opt_out("192.0.2.1")).strip(), "192.0.2.1/32"),
        (written(opt_out("example.org")).strip(), "not a CIDR block"),
    ],
)
def test_a_bad_line_is_named(line: bytes, reason: str) -> None:
    """A line that is not an event, and a block that is not in canonical form, are refused with the line's number."""
    first = written(Go(at=AT, who="a"))
    body = line.replace(NOTHING_BEFORE.encode(), hashlib.sha256(first.strip()).hexdigest().encode())
    with pytest.raises(InputError) as caught:
        parse(first + body + b"\n", "r")
    assert caught.value.where == "r, line 2"
    assert reason in caught.value.reason


def test_text_that_is_not_unicode_is_refused() -> None:
    """Bytes that the shell passed on undecoded are refused before anything is written."""
    with pytest.raises(InputError):
        written(OptOut(at=AT, who="a\udcff", block="192.0.2.0/24"))


def test_a_register_from_before_the_chain() -> None:
    """Lines without a chain are read as long as none with one came before; what is written then is chained to the last of them."""
    old = b"".join(msgspec.json.encode(event) + b"\n" for event in [opt_out("192.0.2.0/25"), opt_out("192.0.2.128/25")])
    begun = parse(old, "r")
    assert len(begun.events) == 2 and not begun.events[1].previous
    data = old + chain([Go(at=AT, who="a")], begun.last)
    assert len(parse(data, "r").events) == len(parse(data, "r", begun).events) == 3
    for changed in (
        data.replace(b"128/25", b"128/26"),
        data + old,
        data[data.index(b"\n") + 1 :].replace(b"128/25", b"128/26"),
    ):
        with pytest.raises(InputError, match="chain is broken"):
            parse(changed, "r")
