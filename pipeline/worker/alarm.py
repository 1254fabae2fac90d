"""The hit-rate alarm: stops the sweep if the hit rate falls by more than chance explains.

The order of the addresses is random, so on each port all ranges have the same expected hit rate. If it changes, the cause is on
our side: a lost route, a filter, a full link. A window is the latest ranges of a port; it is compared with the ranges before it.
`false_alarms` bounds the probability that a whole sweep is ever stopped for nothing. All tests that the plan's ranges can bring
share it (Bonferroni).
"""

import socket
from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.config.sections import AlarmSection
from pipeline.lake import receipts
from pipeline.lake.layout import Sweep
from pipeline.optout import edit, register
from pipeline.record.receipt import Counts
from pipeline.record.rounds import Round
from pipeline.space.shard import Range, Walk
from pipeline.statistics.fall import rate_fall_p_value

#: Windows, in ranges: a short one detects a deep fall at once, a long one a shallow fall.
WINDOWS = (1, 4, 16)


class Hits(NamedTuple):
    """The number of targets probed, and of those that answered."""

    probes: int
    hits: int


@dataclass(slots=True)
class Alarm:
    """Tests the hit rate of each port; `add` takes the counts of each range as it is done."""

    settings: AlarmSection
    tests: int
    """The number of tests that a whole sweep can bring."""
    _ranges: defaultdict[int, list[Hits]] = field(default_factory=lambda: defaultdict(list))
    _fallen: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, settings: AlarmSection, walk: Walk) -> "Alarm":
        """Return the alarm of a plan."""
        ranges = sum(1 for shard in range(walk.shards) for _ in walk.ranges(shard))
        return cls(settings, max(1, ranges * len(WINDOWS)))

    def add(self, port: int, seen: Hits) -> str:
        """Add a range of a port; return why the sweep should be stopped, or an empty text.

        After an alarm the port starts again: only later ranges are compared.
        """
        ranges = self._ranges[port]
        ranges.append(seen)
        for window in WINDOWS:
            latest, before = _sum(ranges[-window:]), _sum(ranges[:-window])
            p = rate_fall_p_value(*_order(latest), *_order(before), to=1 - self.settings.fall)
            if p <= self.settings.false_alarms / self.tests:
                self._ranges[port] = []
                return _reason(port, window, latest, before, float(p))
        return ""


def _order(seen: Hits) -> tuple[int, int]:
    return seen.hits, seen.probes


def _sum(ranges: list[Hits]) -> Hits:
    return Hits(sum(hits.probes for hits in ranges), sum(hits.hits for hits in ranges))


def _reason(port: int, window: int, latest: Hits, before: Hits, p: float) -> str:
    spoken = "range" if window == 1 else f"{window} ranges"
    return (
        f"the hit rate fell: {latest.hits:,} of {latest.probes:,} targets on port {port} answered in the latest {spoken}, "
        f"{before.hits:,} of {before.probes:,} before (p = {p:.1g})"
    )


def port_of(walk: Walk, range_: Range) -> int | None:
    """Return the port that a range probes; None if it probes two."""
    first, end = walk.bounds(range_.shard)
    passes = {index // (end - first) for index in (range_.first_index, range_.last_index)}
    return walk.ports[passes.pop()] if len(passes) == 1 else None


def hits(counts: Counts) -> Hits:
    """Return how many targets of a range were probed and answered, those included that an earlier attempt visited.

    Packet rings probe such targets again. Engine `connect` spares them: each has answered.
    """
    return Hits(counts.probes_sent + counts.spared, counts.answers - counts.duplicates + counts.spared)


class HitWatch:
    """Watches the ranges of a sweep that one machine finishes, for the alarm of its plan.

    Ranges that earlier workers of this machine have finished are known by their receipts, so that a restart forgets nothing.
    """

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._alarm = Alarm.of(sweep.plan.alarm, sweep.walk)
        mine = [receipt for receipt in receipts.read_receipts(sweep.paths) if receipt.host == socket.gethostname()]
        for receipt in sorted(mine, key=lambda receipt: receipt.finished_at):
            if receipt.round is Round.PROBES:
                range_ = Range(receipt.shard, receipt.range, receipt.first_index, receipt.last_index)
                self._add(range_, receipt)

    def see(self, done: Range, counts: Counts) -> None:
        """Stop all sweeps that obey the register if the hit rate of this range of probes has fallen."""
        reason = self._add(done, counts)
        if reason:
            kept = register.of(self._sweep.plan.register, self._sweep.paths.lake)
            edit.stop(kept, "census", f"{reason}; `census go {kept.where}` lets it go on")

    def _add(self, done: Range, counts: Counts) -> str:
        """Add a range of probes; return why the sweep should be stopped, or an empty text."""
        port = port_of(self._sweep.walk, done)
        if port is None or not self._sweep.plan.alarm.false_alarms:
            return ""
        return self._alarm.add(port, hits(counts))
