"""The opt-out register: which networks are never probed, and whether sending is paused. Pure: bytes and the day are arguments.

Its lines are chained (`chained`); here is what they say. The events fold into a state: the blocks that are opted out today, and
whether sending is stopped.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from pipeline.errors import InputError
from pipeline.optout import chained
from pipeline.optout.chained import Event, Given, History, Text
from pipeline.space.ranges import Ranges


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


def parse(data: bytes, where: str, after: History[AnyEvent] | None = None) -> History[AnyEvent]:
    """Read a register, or the lines after those of an earlier reading. Raises InputError naming the line."""
    return chained.parse(data, where, _event, after)


def _event(line: bytes, where: str) -> AnyEvent:
    try:
        event = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(where, f"is not an event of a register: {error}") from None
    if isinstance(event, OptOut | Expire | Quarantine | Release) and event.block != block(event.block, where):
        raise InputError(where, f"{event.block!r} is not in its canonical form; write {block(event.block, where)!r}")
    return event


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
