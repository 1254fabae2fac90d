"""An open range: what is known of each of its targets, and what was counted.

Arrays have one entry for each target of the range, at its position (`space.shard`).
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.engines import Engine
from pipeline.probe.clock import MODULUS, OLDEST_SECONDS, Clock
from pipeline.probe.extra_probes import CONTROL, SECOND
from pipeline.probe.fin_wait import SETTLED, UNSEEN
from pipeline.record.receipt import Counts
from pipeline.space.ranges import I64, U32
from pipeline.space.shard import Range, Walk

#: More microseconds than this from a probe to its answer are a negative time, modulo 2^32.
EARLIEST = np.uint32(MODULUS - 2 * OLDEST_SECONDS * 1e6)

Targets = tuple[U32, NDArray[np.uint16]]
"""Addresses and ports, shape (n,) each."""
Bools = NDArray[np.bool_]


class SecondSyns(NamedTuple):
    """Targets that got a second SYN, and whether they answered the first and the second one; shape (n,) each."""

    ip: U32
    port: NDArray[np.uint16]
    answered_first: Bools
    answered_second: Bools


@dataclass(slots=True)
class OpenRange:
    """A range that is being sent or cools down."""

    range: Range
    state: NDArray[np.int32]
    """The slot of each target's connection, or one of the states of `fin_wait`."""
    began: float
    answered: NDArray[np.bool_]
    """Which targets answered the plan's own probe."""
    sent_us: NDArray[np.uint32]
    """When that probe was sent, in microseconds of the monotonic clock modulo 2^32."""
    counts: Counts = field(default_factory=Counts)
    extra_sent: defaultdict[str, list[I64]] = field(default_factory=lambda: defaultdict(list))
    """For each kind of extra probes, the positions of the targets that got one."""
    extra_answered: defaultdict[str, list[I64]] = field(default_factory=lambda: defaultdict(list))
    """And of those that answered it."""
    second_visits: list[I64] = field(default_factory=list)
    """The positions of targets that had not answered the first SYN when they answered the second, and are visited for that."""
    next_position: int = 0
    """Of the target that is probed next."""
    cool_until: float = float("inf")
    closed_at: float = 0.0
    """When the last host that was sent our FIN has had time to acknowledge it, and to answer the RST after that."""
    conversations: int = 0
    """Those that are not over."""
    late_deadlines: int = 0
    """Conversations that our deadline ended after our loop had been late."""
    ungreeted: int = 0
    """Answers that got no greeting because the register or a signal stopped us; the range is not complete."""

    @classmethod
    def begin(cls, range_: Range, now: float, engine: Engine | None = None) -> "OpenRange":
        """A range whose SYNs leave through an engine from now on."""
        state = np.full(range_.length, UNSEEN, dtype=np.int32)
        answered, sent_us = np.zeros(range_.length, dtype=np.bool_), np.zeros(range_.length, dtype=np.uint32)
        return cls(range_, state, now, answered, sent_us, Counts(engine=engine))

    def mark_visited(self, walk: Walk, targets: Targets) -> None:
        """Settle targets that an earlier attempt at the range has visited."""
        position, inside = self.range.positions(*walk.locate(*targets))
        self.state[position[inside]] = SETTLED

    def mark_sent(self, count: int, at: Clock) -> None:
        """The plan's own probe has been sent to the next `count` targets."""
        self.sent_us[self.next_position : self.next_position + count] = at.us % MODULUS
        self.next_position += count

    def mark_sent_again(self, position: I64, at: Clock) -> None:
        """The probes to the targets at these positions have been sent only now; the interface had refused them."""
        self.sent_us[position] = at.us % MODULUS

    def void(self, now: float) -> None:
        """End the range as it is, incomplete."""
        self.ungreeted += 1
        self.cool_until, self.closed_at = min(self.cool_until, now), 0.0

    def mark_answered(self, position: I64) -> int:
        """Targets, shape (n,), have answered the plan's own probe; return how many had not answered this attempt before.

        Those that an earlier attempt visited count as well: they are there, though they get no second greeting.
        """
        new = np.unique(position[~self.answered[position]])
        self.answered[new] = True
        return len(new)

    @property
    def all_sent(self) -> bool:
        """Every target has been probed."""
        return self.next_position == self.range.length

    @property
    def complete(self) -> bool:
        """Every target has been probed, and every answer greeted."""
        return self.all_sent and not self.ungreeted

    def rtt_us(self, position: I64, taken_us: U32) -> U32:
        """Microseconds from when targets were probed to `taken_us` (`clock.taken_us`), shape (n,); up to 71 minutes.

        The batch of a probe is noted when all of it has left, so the first answers may have come before: 0.
        """
        passed = taken_us - self.sent_us[position]
        return np.where(passed > EARLIEST, np.uint32(0), passed)

    def second_syns(self, walk: Walk) -> SecondSyns:
        """The targets that got a second SYN and answered one of the two."""
        position, first, again = self._second_looks()
        answered = first | again
        local = self.range.first_index + position[answered]
        return SecondSyns(*walk.at(self.range.shard, local), first[answered], again[answered])

    def _second_looks(self) -> tuple[I64, Bools, Bools]:
        """The positions of the targets that got a second SYN, and which of them answered the first and the second one."""
        probed, seen = (_distinct(positions[SECOND]) for positions in (self.extra_sent, self.extra_answered))
        return probed, self.answered[probed], np.isin(probed, seen)

    def final_counts(self) -> Counts:
        """The counts, when nothing more of the range is expected."""
        probed, first, again = self._second_looks()
        self.counts.second_visits = int((~self.answered[_distinct(self.second_visits)]).sum())
        self.counts.second_probes = len(probed)
        self.counts.seen_twice = int((first & again).sum())
        self.counts.first_only = int((first & ~again).sum())
        self.counts.second_only = int((~first & again).sum())
        self.counts.late_deadlines = self.late_deadlines
        self.counts.control_probes = len(_distinct(self.extra_sent[CONTROL]))
        return self.counts


def _distinct(positions: list[I64]) -> I64:
    return np.unique(np.concatenate(positions)) if positions else np.zeros(0, dtype=np.int64)
