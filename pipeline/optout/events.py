"""The opt-out register: who is no longer asked, and whether anybody is. Pure: bytes and the day come in as arguments.

It is a file of JSON lines, one event each, in the order in which they were written; none is ever changed. Each line carries
the SHA-256 of the line before it, so a line that was changed, removed or put in shows at the next one: the history is
evidence. What the events leave is a state: the blocks that are opted out today, and whether sending is stopped.
"""

import hashlib
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from pipeline.errors import InputError
from pipeline.space.ranges import Ranges

#: What the first line carries, for want of a line before it.
NOTHING_BEFORE = "0" * 64

Text = Annotated[str, Meta(max_length=4096)]
Given = Annotated[str, Meta(min_length=1, max_length=4096)]


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="event", forbid_unknown_fields=True):
    """One line: when it was written, who asked for it, and the SHA-256 of the line before it."""

    at: Annotated[datetime, Meta(tz=True)]
    who: Given
    previous: str = ""


class OptOut(Event, frozen=True, tag="opt_out"):
    """A block is not asked any more: until the end of a day (UTC), or for good. A later one overrides an earlier one."""

    block: str
    until: date | None = None
    proof: Text = ""
    note: Text = ""


class Expire(Event, frozen=True, tag="expire"):
    """The opt-out of exactly this block has ended."""

    block: str
    note: Text = ""


class Quarantine(Event, frozen=True, tag="quarantine"):
    """A host fell silent after a visit: it is not asked until the end of a day (UTC). A later one overrides an earlier one."""

    block: str
    until: date
    note: Text = ""


class Release(Event, frozen=True, tag="release"):
    """The quarantine of exactly this block has ended."""

    block: str
    note: Text = ""


class Stop(Event, frozen=True, tag="stop"):
    """Nobody sends any more."""

    reason: Given


class Go(Event, frozen=True, tag="go"):
    """Sending may go on."""


class Limit(Event, frozen=True, tag="limit"):
    """No worker sends more probes a second than this, nor more than its plan says; None ends the limit."""

    rate: Annotated[int, Meta(ge=1)] | None = None


AnyEvent = OptOut | Expire | Quarantine | Release | Stop | Go | Limit
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


class Unfinished(InputError):
    """The last line has no end yet: somebody is writing it, or died while he did."""


@dataclass(frozen=True, slots=True)
class History:
    """The events of a register up to a length in bytes, and the SHA-256 of the last line."""

    events: tuple[AnyEvent, ...] = ()
    size: int = 0
    last: str = NOTHING_BEFORE


@dataclass(frozen=True, slots=True)
class State:
    """What a register says on one day: opt-outs and quarantines that hold, by block, and the stop and the limit, if any do."""

    opt_outs: dict[str, OptOut]
    stop: Stop | None
    limit: Limit | None = None
    quarantines: dict[str, Quarantine] = field(default_factory=dict)

    @property
    def quarantined(self) -> Ranges:
        """The addresses that are quarantined and not opted out."""
        return Ranges.of(_ends(name) for name in self.quarantines).subtract(self.ranges)

    @property
    def ranges(self) -> Ranges:
        """The addresses that are opted out."""
        return Ranges.of(_ends(name) for name in self.opt_outs)


def block(text: str, where: str) -> str:
    """The canonical name of a CIDR block or an address. Raises InputError, also for host bits."""
    try:
        return str(ipaddress.IPv4Network(text.strip()))
    except ValueError as error:
        raise InputError(where, f"{text!r} is not a CIDR block: {error}") from None


def _ends(name: str) -> tuple[int, int]:
    """First and last address of a block that `block` named."""
    address, _, length = name.partition("/")
    first = int(ipaddress.IPv4Address(address))
    return first, first + 2 ** (32 - int(length)) - 1


def parse(data: bytes, where: str, after: History = History()) -> History:
    """Read a register, or what follows the part of it that was read before. Raises InputError naming the line."""
    if data and not data.endswith(b"\n"):
        raise Unfinished(
            where, "the last line has no end: it is being written, or its writer died and it is to be cut off"
        )
    events, previous = list(after.events), after.last
    for number, line in enumerate(data[after.size :].split(b"\n")[:-1], len(events) + 1):
        events.append(_event(line, previous, f"{where}, line {number}"))
        previous = hashlib.sha256(line).hexdigest()
    return History(tuple(events), len(data), previous)


def _event(line: bytes, previous: str, where: str) -> AnyEvent:
    try:
        event = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(where, f"is not an event of a register: {error}") from None
    if event.previous != previous:
        raise InputError(
            where, "the chain is broken: `previous` is not the SHA-256 of the line before; one was changed or removed"
        )
    if isinstance(event, OptOut | Expire | Quarantine | Release) and event.block != block(event.block, where):
        raise InputError(where, f"{event.block!r} is not written as {block(event.block, where)!r}")
    return event


def chain(events: Iterable[AnyEvent], last: str) -> bytes:
    """The lines of events that follow a line with this SHA-256. Raises InputError for text that is not Unicode."""
    lines = []
    for event in events:
        try:
            line = msgspec.json.encode(msgspec.structs.replace(event, previous=last))
        except UnicodeEncodeError:
            raise InputError("register", "what is to be written is not Unicode text") from None
        last = hashlib.sha256(line).hexdigest()
        lines.append(line + b"\n")
    return b"".join(lines)


def digest(data: bytes) -> str:
    """SHA-256 of a whole register, hexadecimal: it stands in every receipt."""
    return hashlib.sha256(data).hexdigest()


def fold(events: Sequence[AnyEvent], today: date) -> State:
    """What the events leave on a day (UTC)."""
    asked: dict[str, OptOut] = {}
    stop: Stop | None = None
    limit: Limit | None = None
    resting: dict[str, Quarantine] = {}
    for event in events:
        match event:
            case OptOut():
                asked[event.block] = event
            case Expire():
                asked.pop(event.block, None)
            case Quarantine():
                resting[event.block] = event
            case Release():
                resting.pop(event.block, None)
            case Stop():
                stop = event
            case Go():
                stop = None
            case Limit():
                limit = event if event.rate else None
    opted = {name: one for name, one in asked.items() if one.until is None or today <= one.until}
    return State(opted, stop, limit, {name: one for name, one in resting.items() if today <= one.until})
