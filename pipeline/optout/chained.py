"""An append-only register of chained lines. Pure: bytes are arguments.

It is a file of JSON lines, one event each, in the order in which they were written; none is ever changed. Each line carries
the SHA-256 of the line before it, so a line that was changed, removed or inserted is detected at the next one: the history
is evidence. A register may begin with lines that carry none; it is chained from the first line that does. What the events say
is the matter of each register: of opt-outs (`events`), and of hand-overs (`pipeline.notify.hand_over_events`).
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

from pipeline.errors import InputError

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


Kind = TypeVar("Kind", bound=Event)


class Unfinished(InputError):
    """The last line has no end yet: it is being written, or its writer died."""


@dataclass(frozen=True, slots=True)
class History(Generic[Kind]):
    """The events of a register up to a length in bytes, and the SHA-256 of the last line."""

    events: tuple[Kind, ...] = ()
    size: int = 0
    last: str = NOTHING_BEFORE


def parse(
    data: bytes, where: str, event: Callable[[bytes, str], Kind], after: History[Kind] | None = None
) -> History[Kind]:
    """Read a register, or the lines after those of an earlier reading; `event` reads a line, whose name it is given.

    Raises InputError naming the line.
    """
    if data and not data.endswith(b"\n"):
        raise Unfinished(where, "the last line has no end: it is being written, or its writer died; then cut it off")
    after = after or History()
    events, previous = list(after.events), after.last
    chained = bool(events and events[-1].previous)
    for number, line in enumerate(data[after.size :].split(b"\n")[:-1], len(events) + 1):
        name = f"{where}, line {number}"
        events.append(event(line, name))
        _require_chained(events[-1], previous, name, chained=chained)
        chained = bool(events[-1].previous)
        previous = hashlib.sha256(line).hexdigest()
    return History(tuple(events), len(data), previous)


def _require_chained(event: Event, previous: str, where: str, *, chained: bool) -> None:
    if event.previous != previous and (chained or event.previous):
        raise InputError(
            where,
            "the chain is broken: `previous` is not the SHA-256 of the line before, so one was changed or removed; restore it",
        )


def chain(events: Iterable[Event], last: str) -> bytes:
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
