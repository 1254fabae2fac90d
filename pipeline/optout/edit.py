"""What people write into a register: opt-outs and their ends, stop and go."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import msgspec

from pipeline.errors import InputError
from pipeline.optout.events import AnyEvent, Expire, Given, Go, Limit, OptOut, Release, State, Stop, Text, block
from pipeline.optout.register import Register, record, today


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked for something, and what there is to say about it."""

    who: str
    proof: str = ""
    note: str = ""


def add(register: Register, blocks: Sequence[str], asked: Asked, *, until: str = "") -> list[str]:
    """Opt blocks out, until the end of a day (UTC) or for good; their names. Raises InputError, then nothing is written."""
    wanted = names(blocks)
    check(asked)
    last = _day(until) if until else None
    events = [
        OptOut(at=now(), who=asked.who, block=name, until=last, proof=asked.proof, note=asked.note) for name in wanted
    ]
    register.create()
    record(register, lambda _: events)
    return wanted


def expire(register: Register, blocks: Sequence[str], asked: Asked) -> list[str]:
    """End opt-outs; their blocks' names. Raises InputError naming the blocks that are not opted out."""
    return end(register, blocks, asked, Expire, lambda state: state.opt_outs, "not opted out, as a block of its own")


def end(
    register: Register, blocks: Sequence[str], asked: Asked, event: type[Expire | Release],
    held: Callable[[State], Container[str]], unheld: str,
) -> list[str]:  # fmt: skip
    """End what is held for blocks, by an event for each; their names. Raises InputError, with `unheld`, naming those that are not."""
    wanted = names(blocks)
    check(asked)

    def make(state: State) -> list[AnyEvent]:
        unknown = [name for name in wanted if name not in held(state)]
        if unknown:
            raise InputError(register.where, f"{unheld}: {', '.join(unknown)}; `list` shows what is")
        return [event(at=now(), who=asked.who, block=name, note=asked.note) for name in wanted]

    record(register, make)
    return wanted


def stop(register: Register, who: str, reason: str) -> None:
    """Stop every worker that obeys the register. Raises InputError."""
    check(Asked(who))
    _text(reason, "--reason", Given)
    record(register, lambda _: [Stop(at=now(), who=who, reason=reason)])


def go(register: Register, who: str) -> None:
    """Let sending go on. Raises InputError if it is not stopped."""
    check(Asked(who))

    def make(state: State) -> list[AnyEvent]:
        if not state.stop:
            raise InputError(register.where, "is not stopped, so there is nothing to resume")
        return [Go(at=now(), who=who)]

    record(register, make)


def limit(register: Register, who: str, rate: int | None) -> None:
    """Let no worker send more probes a second than this; None ends the limit. Raises InputError if there is none to end."""
    check(Asked(who))

    def make(state: State) -> list[AnyEvent]:
        if rate is None and not state.limit:
            raise InputError(register.where, "has no limit of the rate, so there is none to lift")
        return [Limit(at=now(), who=who, rate=rate)]

    record(register, make)


def names(blocks: Sequence[str]) -> list[str]:
    """The canonical names of blocks, each once. Raises InputError."""
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


def check(asked: Asked) -> None:
    """Refuse what cannot stand in a register as evidence. Raises InputError."""
    _text(asked.who, "--who", Given)
    _text(asked.proof, "--proof", Text)
    _text(asked.note, "--note", Text)


def _text(text: str, option: str, kind: object) -> None:
    if kind is Given and not text:
        raise InputError(option, "is missing; the register keeps it as evidence")
    try:
        msgspec.convert(text, kind)
    except msgspec.ValidationError as error:
        raise InputError(option, str(error)) from None


def now() -> datetime:
    """The time that an event bears, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
