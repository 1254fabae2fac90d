"""The watch over a register: a worker looks up what it may do without ever waiting for a file system."""

import threading
from dataclasses import dataclass, replace
from datetime import date

from pipeline import host
from pipeline.errors import InputError
from pipeline.optout import anchor
from pipeline.optout.chained import History, digest
from pipeline.optout.events import AnyEvent, RegisterState, fold, parse
from pipeline.optout.register import Register, today
from pipeline.space.permit import Permit
from pipeline.space.ranges import Ranges

#: How often a worker reads the register. It reads the bytes: time stamps are coarse on some file systems.
READ_SECONDS = 0.5
#: A worker that has not been able to read the register for this long stops sending (docs/decisions/0004-register.md).
STALE_SECONDS = 5.0
NO_ANSWER = "it does not answer"


@dataclass(frozen=True, slots=True)
class Reading:
    """A register as it was read, never changed afterwards. `began` is when that reading began."""

    began: float
    day: date
    data: bytes
    history: History[AnyEvent]
    digest: str
    permit: Permit


class Watch:
    """Reads a register again and again in its own thread, so a caller of `permit` never waits for a file system.

    A file system that hangs, a file that is gone, a broken chain and a register that lacks what this machine has seen of it have the
    same effect: the last good reading grows old, and at STALE_SECONDS nothing more may be sent.
    """

    def __init__(self, register: Register, space: Ranges) -> None:
        self._register = register
        self._space = space
        self._reading: Reading | None = None
        self._fault = NO_ANSWER
        self._looked = threading.Event()
        self._ended = threading.Event()

    def __enter__(self) -> "Watch":
        threading.Thread(target=self._watch, name="census-register", daemon=True).start()
        self._looked.wait(STALE_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    @property
    def digest(self) -> str:
        """SHA-256 of the register as it was last read; empty before the first reading."""
        return self._reading.digest if self._reading else ""

    def permit(self, now: float | None = None) -> Permit:
        """Return what may be done at `now` (of `host.clock`). `withheld` has addresses of the target space only."""
        reading = self._reading
        age = (host.clock() if now is None else now) - (reading.began if reading else -STALE_SECONDS)
        if reading is None or age > STALE_SECONDS:
            withheld = reading.permit.withheld if reading else Ranges.of(())
            return Permit(f"it has not been readable for {STALE_SECONDS:.0f} s ({self._fault})", withheld)
        return reading.permit

    def _watch(self) -> None:
        while not self._ended.is_set():
            self._fault = NO_ANSWER
            try:
                self._look()
            except InputError as error:
                self._fault = str(error)
            self._looked.set()
            self._ended.wait(READ_SECONDS)

    def _look(self) -> None:
        began, day, before = host.clock(), today(), self._reading
        head = None if before else anchor.last(self._register.where)
        data = self._register.read()
        if before and before.day == day and before.data == data:
            self._reading = replace(before, began=began)
            return
        if before and not data.startswith(before.data):
            raise InputError(self._register.where, "no longer begins with the lines read before; restore them")
        if before is None:
            anchor.require(self._register.where, data, head)
        history = parse(data, self._register.where, before.history if before else History())
        permit = _permit(fold(history.events, day), self._space)
        sha256 = digest(data)
        anchor.keep(self._register.where, data, sha256)
        self._reading = Reading(began, day, data, history, sha256, permit)


def _permit(state: RegisterState, space: Ranges) -> Permit:
    """What a state leaves to do in a target space, which has no address that the plan excludes already."""
    reason = f"{state.stop.reason} ({state.stop.who})" if state.stop else ""
    rate = state.limit.rate if state.limit and state.limit.rate else float("inf")
    quarantined = state.quarantined.intersect(space)
    return Permit(reason, state.ranges.intersect(space).union(quarantined), rate, quarantined)
