"""A range on its way: what is known of each of its targets, what was counted, and what the engine tells of it."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.probe.clock import Clock
from pipeline.probe.fin_wait import UNSEEN
from pipeline.probe.flow import MODULUS
from pipeline.probe.flow_table import Talked
from pipeline.probe.greeting import Settled
from pipeline.record import Visit
from pipeline.space.ranges import I64
from pipeline.space.shard import Range
from pipeline.wire.packet import Answers


@dataclass(slots=True)
class SendCounts:
    """What the engine counted for one range; names are columns of `schemas/receipts.toml`."""

    engine: str | None = None
    """What its SYNs leave through; None where it has none of its own."""
    probes_sent: int = 0
    second_probes: int = 0
    control_probes: int = 0
    suppressed: int = 0
    spared: int = 0
    quarantined: int = 0
    answers: int = 0
    duplicates: int = 0
    seen_twice: int = 0
    first_only: int = 0
    second_only: int = 0
    greetings: int = 0
    syn_retransmits: int = 0
    held_back: int = 0
    suppressed_visits: int = 0
    resets: int = 0
    unreachable: int = 0
    ring_invalid: int = 0
    ring_dropped: int = 0
    ring_truncated: int = 0
    ring_corrupt: int = 0
    ring_rejected: int = 0
    stalls: int = 0
    started_at: int = 0
    send_seconds: float = 0.0
    paused_seconds: float = 0.0


@dataclass(slots=True)
class OpenRange:
    """A range that is being sent or cools down."""

    range: Range
    slot: NDArray[np.int32]
    """For each target the place of its conversation, or one of the values of `closing`."""
    began: float
    answered: NDArray[np.bool_]
    """Which targets answered the plan's own probe."""
    asked_us: NDArray[np.uint32]
    """When each was sent that, in microseconds of the monotonic clock modulo 2^32."""
    counts: SendCounts = field(default_factory=SendCounts)
    asked: defaultdict[str, list[I64]] = field(default_factory=lambda: defaultdict(list))
    """For each kind of probes beside the plan's own, the places of their targets, and below of those that answered them."""
    heard: defaultdict[str, list[I64]] = field(default_factory=lambda: defaultdict(list))
    next_index: int = 0
    cool_until: float = float("inf")
    closed_at: float = 0.0
    """When the last one that was sent our FIN has had time to acknowledge it, and to answer the RST after that."""
    talking: int = 0
    """Conversations that are not over."""
    put_off: int = 0
    """Answers that the stop switch left without a greeting."""

    @classmethod
    def of(cls, chosen: Range, began: float, engine: str | None = None) -> "OpenRange":
        """A range of which nothing is known yet, whose SYNs leave through an engine."""
        slot = np.full(chosen.length, UNSEEN, dtype=np.int32)
        answered, asked_us = np.zeros(chosen.length, dtype=np.bool_), np.zeros(chosen.length, dtype=np.uint32)
        return cls(chosen, slot, began, answered, asked_us, SendCounts(engine))

    def places(self, shard: I64, local: I64) -> tuple[I64, NDArray[np.bool_]]:
        """Where in the range targets with these shards and local indices are, and which of them are in it at all."""
        position = local - self.range.first_index
        return position, (shard == self.range.shard) & (position >= 0) & (position < self.range.length)

    def ask(self, count: int, at: Clock) -> None:
        """So many more targets were sent the plan's own probe."""
        self.asked_us[self.next_index : self.next_index + count] = at.us % MODULUS
        self.next_index += count

    def rtt_us(self, position: I64, at: Clock) -> NDArray[np.uint32]:
        """Microseconds since targets were sent that, of shape (n,); up to 71 minutes."""
        return np.uint32(at.us % MODULUS) - self.asked_us[position]

    def conclude(self) -> SendCounts:
        """The counts, now that nothing more of the range is expected."""
        second, seen = (_places(found["second"]) for found in (self.asked, self.heard))
        first, again = self.answered[second], np.isin(second, seen)
        self.counts.second_probes = len(second)
        self.counts.seen_twice = int((first & again).sum())
        self.counts.first_only = int((first & ~again).sum())
        self.counts.second_only = int((~first & again).sum())
        self.counts.control_probes = len(_places(self.asked["control"]))
        return self.counts


@dataclass(frozen=True, slots=True)
class Responses:
    """Targets of a range that answered for the first time, and are to be visited by others than the greeter."""

    range: Range
    answers: Answers
    answered_at: int
    rtt_us: NDArray[np.uint32]
    """From the batch that asked to when the answer was read: the round trip and what we were late."""


@dataclass(frozen=True, slots=True)
class Deferred(Responses):
    """Targets that answered for the first time and were reset, to be visited later: the harm check's."""

    visits_first: NDArray[np.bool_]
    """Who is visited before it is asked again whether it is there; the others after."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A host that was talked with over a connection of the kernel's, which keeps the SYN-ACK to itself."""

    visit: Visit

    @property
    def syn(self) -> dict[str, int | None]:
        """What is known of its SYN-ACK, as columns."""
        told = self.visit.connect_us or 0
        return {"answered_at": self.visit.started_at + told, "syn_rtt_us": told}


@dataclass(frozen=True, slots=True)
class Greeted:
    """What came of conversations with targets of a range."""

    range: Range
    result: Settled | Talked | Connected


@dataclass(frozen=True, slots=True)
class Controls:
    """Addresses of a range that answered on the control port, where nothing should."""

    range: Range
    answers: Answers
    answered_at: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A range has been sent and has cooled down (or was stopped before its end)."""

    range: Range
    counts: SendCounts
    complete: bool


Event = Responses | Deferred | Greeted | Controls | Finished


def _places(found: list[I64]) -> I64:
    return np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
