"""The hit-rate alarm: stops the sweep if the hit rate falls by more than chance explains, and voids what was lost meanwhile.

The order of the addresses is random, so on each port all ranges have the same expected hit rate. If it changes, the cause is on
our side: a lost route, a filter, a full link. A window is the latest ranges of a port; it is compared with the ranges before it.
`false_alarms` bounds the probability that a whole sweep is ever stopped for nothing. All tests that the plan's ranges can bring
share it (Bonferroni).

The last good sign is the last range before the fall began. It shows that answers came back when it began. So whatever this machine
finished since then is void, on every port, and so is what begins before the senders go on after the stop. The ranges that remain
stay the baseline: if nothing was mended, the ranges that run again raise the alarm again.
"""

import socket
import time
from collections import defaultdict
from collections.abc import Container
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.config.sections import AlarmSection
from pipeline.lake import receipts, voiding
from pipeline.lake.layout import Sweep
from pipeline.optout import edit, register
from pipeline.record.receipt import Receipt
from pipeline.record.rounds import Round
from pipeline.space.shard import Range, Walk, range_key
from pipeline.statistics.fall import fall_began, rate_fall_p_value

#: Windows, in ranges: a short one detects a deep fall at once, a long one a shallow fall.
WINDOWS = (1, 4, 16)
#: If no sender has paused for so long after an alarm, in seconds, somebody has lifted the stop at once.
UNHEEDED_SECONDS = 10.0


class Hits(NamedTuple):
    """The number of targets probed, and of those that answered: of one range (its key, and when it began), or of several."""

    probes: int
    hits: int
    key: str = ""
    started_at: int = 0
    """In microseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Fall:
    """A fall of the hit rate: what was seen, and the last range before it began, None if that may be the first."""

    reason: str
    last_good: Hits | None


@dataclass(slots=True)
class Alarm:
    """Tests the hit rate of each port; `add` takes the counts of each range as it is done."""

    settings: AlarmSection
    tests: int
    """The number of tests that a whole sweep can bring."""
    _ranges: defaultdict[int, list[Hits]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, settings: AlarmSection, walk: Walk) -> "Alarm":
        """Return the alarm of a plan."""
        return cls(settings, max(1, int(walk.range_counts.sum()) * len(WINDOWS)))

    def know(self, port: int, seen: Hits) -> None:
        """Add a range of a port without a test: one that was tested when it was done."""
        self._ranges[port].append(seen)

    def add(self, port: int, seen: Hits) -> Fall | None:
        """Add a range of a port; return the fall of its hit rate if the sweep should be stopped."""
        ranges = self._ranges[port]
        ranges.append(seen)
        for window in WINDOWS:
            latest, before = _sum(ranges[-window:]), _sum(ranges[:-window])
            p = rate_fall_p_value(*_order(latest), *_order(before), to=1 - self.settings.fall)
            if p <= self.settings.false_alarms / self.tests:
                began = fall_began([one.hits for one in ranges], [one.probes for one in ranges], window)
                reason = _reason(port, window, latest, before, float(p))
                return Fall(reason, ranges[began - 1] if began else None)
        return None

    def forget(self, keys: Container[str]) -> None:
        """Forget ranges that are void."""
        for port, ranges in self._ranges.items():
            self._ranges[port] = [seen for seen in ranges if seen.key not in keys]


def _order(seen: Hits) -> tuple[int, int]:
    return seen.hits, seen.probes


def _sum(ranges: list[Hits]) -> Hits:
    return Hits(sum(seen.probes for seen in ranges), sum(seen.hits for seen in ranges))


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


def hits(receipt: Receipt) -> Hits:
    """Return how many targets of a range were probed and answered, in its last attempt or an earlier one.

    Packet rings probe again what an earlier attempt has visited, and engine `connect` spares it. Not every host answers a second
    SYN soon after the first: its system may still keep the connection (TIME-WAIT, RFC 9293 §3.6.1). But it has its row.
    """
    answered = receipt.answers - receipt.duplicates + receipt.spared
    key = range_key(receipt.shard, receipt.range)
    return Hits(receipt.probes_sent + receipt.spared, max(answered, receipt.responses), key, receipt.started_at)


class HitWatch:
    """Watches the ranges of a sweep that one machine finishes, for the alarm of its plan.

    Ranges that earlier workers of this machine have finished are known by their receipts, so that a restart forgets nothing.
    """

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._alarm = Alarm.of(sweep.plan.alarm, sweep.walk)
        self._reason = ""
        self._doubtful_until = 0.0  # ranges that began before this are void, in microseconds since the epoch
        self._raised_at = 0.0
        self._heeded = False
        for receipt in sorted(self._finished_here(), key=lambda receipt: receipt.finished_at):
            port = self._port(receipt)
            if port is not None:
                self._alarm.know(port, hits(receipt))

    def accept(self, receipt: Receipt) -> bool:
        """Take the receipt of a range, just written, and return whether it is valid.

        If the hit rate has fallen, all sweeps that obey the register are stopped, and what was finished since the last good sign is
        void.
        """
        if receipt.started_at < self._doubtful_until:
            voiding.void(self._sweep.paths, [receipt], self._reason)
            return False
        port = self._port(receipt)
        fall = None if port is None else self._alarm.add(port, hits(receipt))
        if fall:
            kept = register.of(self._sweep.plan.register, self._sweep.paths.lake)
            edit.stop_itself(kept, fall.reason)
            self.void(fall.last_good.started_at if fall.last_good else 0, fall.reason)
        return fall is None

    def void(self, since: int, reason: str) -> None:
        """Void what this machine finished after `since`, in microseconds since the epoch, and what begins before the senders go on."""
        finished = self._finished_here()
        late = [receipt for receipt in finished if receipt.finished_at > since]
        # Who speaks DICOM in a void range decides whose companion SYNs the ranges of its shard have.
        shards = {receipt.shard for receipt in late if receipt.round.makes_visits}
        void = [one for one in finished if one in late or (one.round is Round.COMPANIONS and one.shard in shards)]
        voiding.void(self._sweep.paths, void, reason)
        self._alarm.forget({_key(receipt) for receipt in void})
        self._reason, self._doubtful_until = reason, float("inf")
        self._raised_at, self._heeded = time.monotonic(), False

    def pause(self, reason: str) -> None:
        """Take why the senders are paused now, empty if they are not. When they go on after a stop of the alarm, doubt is over."""
        self._heeded |= bool(reason)
        lifted = self._heeded or time.monotonic() - self._raised_at > UNHEEDED_SECONDS
        if self._doubtful_until == float("inf") and not reason and lifted:
            self._doubtful_until = time.time_ns() / 1000

    def _finished_here(self) -> list[Receipt]:
        """Read the receipts of this machine."""
        return [one for one in receipts.read_receipts(self._sweep.paths) if one.host == socket.gethostname()]

    def _port(self, receipt: Receipt) -> int | None:
        """Return the port that a range's hit rate is of; None if it has none, or nothing is watched."""
        if receipt.round is not Round.PROBES or not self._sweep.plan.alarm.false_alarms:
            return None
        range_ = Range(receipt.shard, receipt.range, receipt.first_index, receipt.last_index)
        return port_of(self._sweep.walk, range_)


def _key(receipt: Receipt) -> str:
    return range_key(receipt.shard, receipt.range)
