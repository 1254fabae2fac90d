"""What people write into a register: opt-outs and their ends, stop and go, a limit of the rate."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import msgspec

from pipeline.errors import InputError
from pipeline.optout.chained import LONGEST_TEXT, Given, Text
from pipeline.optout.events import (
    AnyEvent,
    Expire,
    Go,
    Limit,
    OptOut,
    RegisterState,
    Release,
    Stop,
    block,
)
from pipeline.optout.register import Register, record, today


@dataclass(frozen=True, slots=True)
class Evidence:
    """Who requested a change of the register, and the evidence that is kept with it."""

    who: str
    proof: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Addition:
    """A block that was opted out, and the opt-out that withheld all of it before, if there was one."""

    block: str
    before: OptOut | None


def add(register: Register, blocks: Sequence[str], evidence: Evidence, *, until: str = "") -> list[Addition]:
    """Opt blocks out, until the end of a day (UTC) or for good; return what each was before.

    A block that is opted out already gets another event, since that is new evidence. Raises InputError and writes nothing.
    """
    requested = names(blocks)
    check(evidence)
    last = _day(until) if until else None
    events = [
        OptOut(at=now(), who=evidence.who, block=name, until=last, proof=evidence.proof, note=evidence.note)
        for name in requested
    ]
    before: dict[str, OptOut | None] = {}

    def make(state: RegisterState) -> list[OptOut]:
        before.update((name, state.opt_out_of(name)) for name in requested)
        return events

    register.create()
    record(register, make)
    return [Addition(name, before[name]) for name in requested]


def expire(register: Register, blocks: Sequence[str], evidence: Evidence) -> list[str]:
    """End opt-outs; return their blocks' names. Raises InputError naming the blocks that are not opted out."""
    return end(register, blocks, evidence, Expire, lambda state: state.opt_outs, "has no opt-out of exactly")


def end(
    register: Register, blocks: Sequence[str], evidence: Evidence, event: type[Expire | Release],
    active: Callable[[RegisterState], Container[str]], refusal: str,
) -> list[str]:  # fmt: skip
    """End what is in force for blocks, by an event for each; return their names.

    `active` gives the blocks for which it is in force. Raises InputError with `refusal` for a block that is not among them.
    """
    requested = names(blocks)
    check(evidence)

    def make(state: RegisterState) -> list[AnyEvent]:
        unknown = [name for name in requested if name not in active(state)]
        if unknown:
            raise InputError(register.where, f"{refusal} {', '.join(unknown)}; `list` shows those that it has")
        return [event(at=now(), who=evidence.who, block=name, note=evidence.note) for name in requested]

    record(register, make)
    return requested


def stop(register: Register, who: str, reason: str) -> None:
    """Stop every worker that obeys the register. Raises InputError."""
    check(Evidence(who))
    _text(reason, "--reason", Given)
    record(register, lambda _: [Stop(at=now(), who=who, reason=reason)])


def stop_itself(register: Register, reason: str) -> None:
    """Stop every worker that obeys the register, for a reason that a sweep found itself. Raises InputError with the reason."""
    try:
        stop(register, "census", f"{reason}; `census go {register.where}` lets the sweep go on")
    except InputError as error:
        raise InputError(
            register.where, f"the sweep ends, since it cannot be stopped here: {reason} ({error})"
        ) from None


def go(register: Register, who: str) -> None:
    """Let sending resume. Raises InputError if it is not stopped."""
    check(Evidence(who))

    def make(state: RegisterState) -> list[AnyEvent]:
        if not state.stop:
            raise InputError(register.where, "is not stopped, so there is nothing to resume")
        return [Go(at=now(), who=who)]

    record(register, make)


def limit(register: Register, who: str, rate: int | None) -> None:
    """Let no worker send more probes a second than this; None ends the limit. Raises InputError if there is none to end."""
    check(Evidence(who))

    def make(state: RegisterState) -> list[AnyEvent]:
        if rate is None and not state.limit:
            raise InputError(register.where, "has no limit of the rate, so there is none to lift")
        return [Limit(at=now(), who=who, rate=rate)]

    record(register, make)


def names(blocks: Sequence[str]) -> list[str]:
    """Return the canonical names of blocks, each once. Raises InputError."""
    if not blocks:
        raise InputError("command line", "name at least one block, e.g. 192.0.2.0/24")
    return list(dict.fromkeys(block(text, "command line") for text in blocks))


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InputError("--until", f"{text!r} is not a date (use YYYY-MM-DD)") from None
    if day < today():
        raise InputError("--until", f"{text} is in the past (today is {today()}, UTC)")
    return day


def check(evidence: Evidence) -> None:
    """Refuse what a register cannot keep as evidence. Raises InputError."""
    _text(evidence.who, "--who", Given)
    _text(evidence.proof, "--proof", Text)
    _text(evidence.note, "--note", Text)


def _text(text: str, option: str, kind: object) -> None:
    if kind is Given and not text:
        raise InputError(option, "is missing; the register keeps it as evidence")
    try:
        msgspec.convert(text, kind)
    except msgspec.ValidationError:
        raise InputError(option, f"is {len(text):,} characters long; the register takes {LONGEST_TEXT:,}") from None


def now() -> datetime:
    """Return the time of an event written now, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
