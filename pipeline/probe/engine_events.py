"""What an engine reports of the ranges that it sends, and how a sender's process drives it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.probe.range_state import SecondSyns, Targets
from pipeline.probe.result import Result
from pipeline.record.receipt import Counts
from pipeline.space.shard import Range
from pipeline.wire.packet import Answers


@dataclass(frozen=True, slots=True)
class Responses:
    """Targets of a range that answered for the first time, to be visited by the associators."""

    range: Range
    answers: Answers
    answered_at: int
    """When the answers were read, in µs since the epoch."""
    rtt_us: NDArray[np.uint32]
    """From the sending of the probes' batch until then: the round trip, and our own delay."""


@dataclass(frozen=True, slots=True)
class Deferred(Responses):
    """Targets that answered for the first time and were reset, to be visited later, by the harm check."""

    visits_first: NDArray[np.bool_]
    """Which of them are visited before their liveness check; the rest after it."""


@dataclass(frozen=True, slots=True)
class Greeted:
    """Visits to targets of a range have ended."""

    range: Range
    result: Result


@dataclass(frozen=True, slots=True)
class Controls:
    """Addresses of a range that answered on the control port, where nothing should."""

    range: Range
    answers: Answers
    answered_at: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A range has been sent and has cooled down, or was stopped before: then it is not complete."""

    range: Range
    counts: Counts
    complete: bool
    second_syns: SecondSyns | None = None
    """Who answered the second SYNs; None if the engine sends none."""


Event = Responses | Deferred | Greeted | Controls | Finished


class ProbeEngine(Protocol):
    """What a sender's process drives: `begin` a range whenever the engine is idle, and call `tick` again and again."""

    probes: int
    """SYNs of the plan that have been sent since the process began."""
    suppressed: int
    """Targets that were left out because the register withholds them."""

    @property
    def idle(self) -> bool:
        """Another range may begin to send."""

    @property
    def busy(self) -> bool:
        """A range sends, cools down or has conversations."""

    def begin(self, range_: Range, visited: Targets | None = None) -> None:
        """Begin to send a range; only while idle. `visited` targets were visited by an earlier attempt, and are not visited again."""

    def stop(self) -> None:
        """Send no further probe and begin no conversation; `tick` finishes those that are open."""

    def tick(self) -> Iterator[Event]:
        """Send what the budget allows, wait a little, and yield what has happened."""
