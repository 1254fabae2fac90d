"""The SYN stage: sends the probes of ranges at the set rate, and tells which targets answered.

A range cools down while the next one sends; an answer finds its range through the inverse permutation, and its bit there
tells whether the target has answered before.
"""

import select
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.probe.pacer import Pacer
from pipeline.probe.ring import ReceiveRing, TransmitRing
from pipeline.space.ranges import U32, Ranges
from pipeline.space.register import Permit
from pipeline.space.shard import Range, Walk
from pipeline.wire import packet
from pipeline.wire.cookie import Secret, bake
from pipeline.wire.packet import Answers, Sums

BATCH = 8192
#: How long to wait for answers where nothing may be sent, in seconds.
IDLE_SECONDS = 0.005


@dataclass(slots=True)
class SendCounts:
    """What the engine counted for one range; names are columns of `schemas/receipts.toml`."""

    probes_sent: int = 0
    suppressed: int = 0
    answers: int = 0
    duplicates: int = 0
    resets: int = 0
    unreachable: int = 0
    ring_invalid: int = 0
    ring_dropped: int = 0
    ring_rejected: int = 0
    stalls: int = 0
    started_at: int = 0
    send_seconds: float = 0.0
    paused_seconds: float = 0.0


@dataclass(slots=True)
class OpenRange:
    """A range that is being sent or cools down."""

    range: Range
    answered: NDArray[np.bool_]
    began: float
    counts: SendCounts = field(default_factory=SendCounts)
    next_index: int = 0
    batches: list[tuple[int, float]] = field(default_factory=list)
    """First index after a batch, and when it was sent."""
    cool_until: float = float("inf")


@dataclass(frozen=True, slots=True)
class Responses:
    """Targets of a range that answered for the first time."""

    range: Range
    answers: Answers
    answered_at: int
    rtt_us: NDArray[np.uint32]
    """From the batch that asked to when the answer was read: the round trip and what we were late."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A range has been sent and has cooled down (or was stopped before its end)."""

    range: Range
    counts: SendCounts
    complete: bool


class Engine:
    """One sender. Drive it with `tick`; it owns the rings and no thread. It asks `permit` before every batch."""

    def __init__(
        self, walk: Walk, secret: Secret, transmit: TransmitRing, receive: ReceiveRing, *, permit: Callable[[], Permit],
        frame: bytes, rate: int, cooldown: float,
    ) -> None:  # fmt: skip
        self._walk = walk
        self._secret = secret
        self._transmit = transmit
        self._receive = receive
        self._sums = Sums.over(frame)
        self._permit = permit
        self._held_since: float | None = None
        self._cooldown = cooldown
        self._ids = np.random.default_rng()
        self._pacer = Pacer(rate, time.monotonic())
        self._sending: OpenRange | None = None
        self._open: dict[tuple[int, int], OpenRange] = {}
        self._seen = (0, 0, 0)
        self.probes = self.suppressed = 0
        self._poll = select.poll()
        self._poll.register(receive.socket, select.POLLIN)

    @property
    def idle(self) -> bool:
        """A further range may begin to send."""
        return self._sending is None

    @property
    def busy(self) -> bool:
        """A range sends or cools down."""
        return bool(self._open)

    def begin(self, chosen: Range) -> None:
        """Begin to send a range; only while idle."""
        now = time.monotonic()
        self._pacer.resume(now)
        opened = OpenRange(chosen, np.zeros(chosen.length, dtype=np.bool_), now)
        opened.counts.started_at = time.time_ns() // 1000
        self._sending = self._open[chosen.shard, chosen.number] = opened

    def stop(self) -> Iterator[Finished]:
        """Give up all open ranges, with their counts so far."""
        for opened in self._open.values():
            yield Finished(opened.range, opened.counts, complete=False)
        self._open.clear()
        self._sending = None

    def tick(self) -> Iterator[Responses | Finished]:
        """Send what the budget allows, wait a little, read what came; to be called again and again."""
        permit = self._permit()
        if self._sending and self._may_send(self._sending, held=bool(permit.held)):
            self._send(self._sending, permit.withheld)
        wait = self._pacer.wait() if self._sending and not permit.held else IDLE_SECONDS
        self._poll.poll(max(1, int(wait * 1000)))
        yield from self._read()
        now = time.monotonic()
        for key, opened in list(self._open.items()):
            if now >= opened.cool_until:
                del self._open[key]
                yield Finished(opened.range, opened.counts, complete=True)

    def _may_send(self, opened: OpenRange, *, held: bool) -> bool:
        """Keep the time in which the register holds the range back; afterwards the pacer begins anew: no burst, no stall."""
        now = time.monotonic()
        if self._held_since is not None:
            opened.counts.paused_seconds += now - self._held_since
            self._pacer.resume(now)
        self._held_since = now if held else None
        return not held

    def _send(self, opened: OpenRange, withheld: Ranges) -> None:
        left = opened.range.length - opened.next_index
        count = self._pacer.grant(time.monotonic(), min(left, BATCH, self._transmit.room()))
        if count:
            begin = opened.range.first_index + opened.next_index
            targets = self._walk.targets(opened.range.shard, begin, begin + count)
            sent = self._probe(*_asked(*targets, withheld))
            opened.next_index += count
            opened.batches.append((opened.next_index, time.monotonic()))
            opened.counts.probes_sent += sent
            opened.counts.suppressed += count - sent
            self.probes += sent
            self.suppressed += count - sent
        if opened.next_index == opened.range.length:
            self._end(opened)

    def _probe(self, addresses: U32, ports: NDArray[np.uint16]) -> int:
        """Send a SYN to each target; how many that were."""
        count = len(addresses)
        if count:
            cookie = bake(self._secret, addresses, ports)
            ids = self._ids.integers(0, 65536, count, dtype=np.uint16)
            packet.fill(self._transmit.frames(count), self._sums, addresses, ports, cookie, ids)
            self._transmit.send(count)
        return count

    def _end(self, opened: OpenRange) -> None:
        """Let a range cool down; what the rings and the pacer counted meanwhile is its own."""
        now = time.monotonic()
        opened.counts.send_seconds = now - opened.began
        opened.cool_until = now + self._cooldown
        totals = (self._receive.count_drops(), self._transmit.rejected, self._pacer.stalls)
        fresh = [total - before for total, before in zip(totals, self._seen, strict=True)]
        opened.counts.ring_dropped, opened.counts.ring_rejected, opened.counts.stalls = fresh
        self._seen = totals
        self._sending = None

    def _read(self) -> Iterator[Responses]:
        while True:
            received = self._receive.read()
            if not len(received.packets):
                return
            yield from self._sort(packet.read_answers(received.packets, received.lengths))

    def _sort(self, answers: Answers) -> Iterator[Responses]:
        """Validate answers and hand each to its range."""
        cookie = bake(self._secret, answers.address, answers.port)
        valid = (cookie.source_port == answers.our_port) & (cookie.sequence == answers.our_sequence)
        answers_now = answers.take(valid)
        shard, local = self._walk.locate(answers_now.address, answers_now.port)
        latest = self._sending or next(reversed(self._open.values()), None)
        if latest:
            latest.counts.ring_invalid += int((~valid).sum())
        for opened in list(self._open.values()):
            position = local - opened.range.first_index
            mine = (shard == opened.range.shard) & (position >= 0) & (position < opened.range.length)
            if mine.any():
                yield from _count(opened, answers_now.take(mine), position[mine])


def _asked(addresses: U32, ports: NDArray[np.uint16], withheld: Ranges) -> tuple[U32, NDArray[np.uint16]]:
    """The targets that the register does not withhold."""
    if not len(withheld.first):
        return addresses, ports
    asked = ~withheld.contains(addresses)
    return addresses[asked], ports[asked]


def _count(opened: OpenRange, answers: Answers, position: NDArray[np.int64]) -> Iterator[Responses]:
    """Count the answers of one range; yield the targets whose first SYN-ACK this is."""
    counts = opened.counts
    kinds = answers.flags & (packet.SYN | packet.ACK | packet.RST)
    counts.resets += int(((kinds & packet.RST) != 0).sum())
    counts.unreachable += int((answers.flags == 0).sum())
    accepted = kinds == (packet.SYN | packet.ACK)
    counts.answers += int(accepted.sum())
    places, first = np.unique(position[accepted], return_index=True)
    new = ~opened.answered[places]
    opened.answered[places] = True
    counts.duplicates += int(accepted.sum() - new.sum())
    if new.any():
        chosen = np.zeros(len(position), dtype=np.bool_)
        chosen[np.flatnonzero(accepted)[first[new]]] = True
        yield Responses(opened.range, answers.take(chosen), time.time_ns() // 1000, _rtt(opened, position[chosen]))


def _rtt(opened: OpenRange, position: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Microseconds since the batches in which these targets were asked, of shape (n,)."""
    after, sent = (np.array(column) for column in zip(*opened.batches, strict=True))
    asked = sent[np.searchsorted(after, position, side="right").clip(0, len(sent) - 1)]
    return np.asarray(((time.monotonic() - asked) * 1e6).clip(0, 2**32 - 1), dtype=np.uint32)
