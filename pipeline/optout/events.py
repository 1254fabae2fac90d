"""The opt-out register: which networks are never probed, and whether sending is paused. Pure: bytes and the day are arguments.

It is a file of JSON lines, one event each, in the order in which they were written; none is ever changed. Each line carries
the SHA-256 of the line before it, so a line that was changed, removed or inserted is detected at the next one: the history
is evidence. A register may begin with lines that carry none; it is chained from the first line that does. The events fold into
a state: the blocks that are opted out today, and whether sending is stopped.
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

#: What the first line carries, since there is no line before it.
NOTHING_BEFORE = "0" * 64

#: The longest text that an event keeps, in characters.
LONGEST_TEXT = 4096

Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]
Given = Annotated[str, Meta(min_length=1, max_length=LONGEST_TEXT)]


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="event", forbid_unknown_fields=True):
    """One line: when it was written, who requested it, and the SHA-256 of the line before it."""

    at: Annotated[datetime, Meta(tz=True)]
    who: Given
    previous: str = ""


class OptOut(Event, frozen=True, tag="opt_out"):
    """A block is not probed: until the end of a day (UTC), or for good. A later event overrides an earlier one."""

    block: str
    until: date | None = None
    proof: Text = ""
    note: Text = ""


class Expire(Event, frozen=True, tag="expire"):
    """The opt-out of exactly this block has ended."""

    block: str
    note: Text = ""


class Quarantine(Event, frozen=True, tag="quarantine"):
    """A host fell silent after a visit: it is not probed until the end of a day (UTC). A later event overrides an earlier one."""

    block: str
    until: date
    note: Text = ""


class Release(Event, frozen=True, tag="release"):
    """The quarantine of exactly this block has ended."""

    block: str
    note: Text = ""


class Stop(Event, frozen=True, tag="stop"):
    """No worker sends."""

    reason: Given


class Go(Event, frozen=True, tag="go"):
    """Workers may send again."""


class Limit(Event, frozen=True, tag="limit"):
    """No worker sends more probes a second than this, nor more than its plan allows; None lifts the limit."""

    rate: Annotated[int, Meta(ge=1)] | None = None


AnyEvent = OptOut | Expire | Quarantine | Release | Stop | Go | Limit
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


class Unfinished(InputError):
    """The last line has no end yet: it is being written, or its writer died."""


@dataclass(frozen=True, slots=True)
class History:
    """The events of a register up to a length in bytes, and the SHA-256 of the last line."""

    events: tuple[AnyEvent, ...] = ()
    size: int = 0
    last: str = NOTHING_BEFORE


@dataclass(frozen=True, slots=True)
class RegisterState:
    """What is in force on one day: opt-outs and quarantines by block, the stop and the limit if there is one."""

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

    def opt_out_of(self, name: str) -> OptOut | None:
        """The opt-out of exactly this block, or else one that has all of it; None if there is none."""
        if name in self.opt_outs:
            return self.opt_outs[name]
        first, last = _ends(name)
        wider = ((_ends(other), event) for other, event in self.opt_outs.items())
        return next((event for (begin, end), event in wider if begin <= first and last <= end), None)


def block(text: str, where: str) -> str:
    """Return the canonical name of a CIDR block or an address. Raises InputError, also for host bits."""
    try:
        return str(ipaddress.IPv4Network(text.strip()))
    except ValueError as error:
        raise InputError(where, f"{text!r} is not a CIDR block: {error}") from None


def _ends(name: str) -> tuple[int, int]:
    """Return first and last address of a block that `block` named."""
    address, _, length = name.partition("/")
    first = int(ipaddress.IPv4Address(address))
    return first, first + 2 ** (32 - int(length)) - 1


def parse(data: bytes, where: str, after: History = History()) -> History:
    """Read a register, or the lines after those of an earlier reading. Raises InputError naming the line."""
    if data and not data.endswith(b"\n"):
        raise Unfinished(where, "the last line has no end: it is being written, or its writer died; then cut it off")
    events, previous = list(after.events), after.last
    chained = bool(events and events[-1].previous)
    for number, line in enumerate(data[after.size :].split(b"\n")[:-1], len(events) + 1):
        events.append(_event(line, previous, f"{where}, line {number}", chained=chained))
        chained = bool(events[-1].previous)
        previous = hashlib.sha256(line).hexdigest()
    return History(tuple(events), len(data), previous)


def _event(line: bytes, previous: str, where: str, *, chained: bool) -> AnyEvent:
    try:
        event = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(where, f"is not an event of a register: {error}") from None
    if event.previous != previous and (chained or event.previous):
        raise InputError(
            where,
            "the chain is broken: `previous` is not the SHA-256 of the line before, so one was changed or removed; restore it",
        )
    if isinstance(event, OptOut | Expire | Quarantine | Release) and event.block != block(event.block, where):
        raise InputError(where, f"{event.block!r} is not in its canonical form; write {block(event.block, where)!r}")
    return event


def chain(events: Iterable[AnyEvent], last: str) -> bytes:
    """Return the lines of events that follow a line with this SHA-256. Raises InputError for text that is not Unicode."""
    lines = []
    for event in events:
        try:
            line = msgspec.json.encode(msgspec.structs.replace(event, previous=last))
        except UnicodeEncodeError:
            raise InputError(
                "register", "the new line is not Unicode text; check who, proof, note and reason"
            ) from None
        last = hashlib.sha256(line).hexdigest()
        lines.append(line + b"\n")
    return b"".join(lines)


def digest(data: bytes) -> str:
    """Return the SHA-256 of a whole register, hexadecimal, as every receipt carries it."""
    return hashlib.sha256(data).hexdigest()


def digests(data: bytes) -> set[str]:
    """Return the SHA-256 of a register at each of its ends of lines, as it was once, and of an empty one."""
    sha256 = hashlib.sha256()
    prefixes = {sha256.hexdigest()}
    for line in data.split(b"\n")[:-1]:
        sha256.update(line + b"\n")
        prefixes.add(sha256.hexdigest())
    return prefixes


def fold(events: Sequence[AnyEvent], today: date) -> RegisterState:
    """Fold events into the state on a day (UTC)."""
    opt_outs: dict[str, OptOut] = {}
    stop: Stop | None = None
    limit: Limit | None = None
    quarantines: dict[str, Quarantine] = {}
    for event in events:
        match event:
            case OptOut():
                opt_outs[event.block] = event
            case Expire():
                opt_outs.pop(event.block, None)
            case Quarantine():
                quarantines[event.block] = event
            case Release():
                quarantines.pop(event.block, None)
            case Stop():
                stop = event
            case Go():
                stop = None
            case Limit():
                limit = event if event.rate else None
    in_force = {name: event for name, event in opt_outs.items() if event.until is None or today <= event.until}
    quarantined = {name: event for name, event in quarantines.items() if today <= event.until}
    return RegisterState(in_force, stop, limit, quarantined)
