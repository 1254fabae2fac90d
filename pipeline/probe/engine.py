"""The engine: sends the probes of ranges at the set rate, greets who answers, and tells what came of it.

A range cools down while the next one sends; what comes back is the `Listener`'s.
"""

import select
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pipeline.probe import clock
from pipeline.probe.extra_probes import ExtraProbes
from pipeline.probe.fin_wait import SETTLED
from pipeline.probe.listener import Listener
from pipeline.probe.liveness import LivenessCheck
from pipeline.probe.pacer import Pacer
from pipeline.probe.probes import ProbeBuffer, Probes
from pipeline.probe.range_state import Event, Finished, OpenRange
from pipeline.rings.packet_ring import Transmits
from pipeline.space.permit import Permit
from pipeline.space.ranges import U32, Ranges
from pipeline.space.shard import Range, Walk
from pipeline.wire import packet
from pipeline.wire.cookie import Secret
from pipeline.wire.packet import Sums

BATCH = 8192
#: How long to wait for answers where nothing may be sent, in seconds.
IDLE_SECONDS = 0.005
#: Rings are not looked at more often than so, in seconds: a packet costs the less, the more there are; half of a burst of probes.
GATHER_SECONDS = 0.005
#: What rings and pacer count since they were made; a range's own is what came meanwhile.
RING_COUNTS = ("ring_dropped", "ring_truncated", "ring_corrupt", "ring_rejected", "stalls")


class PacketEngine:
    """One sender. Drive it with `tick`; it owns the rings and no thread. It asks `permit` before every batch."""

    def __init__(
        self, walk: Walk, secret: Secret, transmit: Transmits, listener: Listener, *,
        permit: Callable[[], Permit], frame: bytes, pacer: Pacer, cooldown: float, asides: ExtraProbes,
        askings: Sequence[LivenessCheck] = (),
    ) -> None:  # fmt: skip
        self._walk, self._ahead = walk, ProbeBuffer(walk, secret)
        self._transmit = transmit
        self._listener = listener
        self._sums = Sums.over(frame)
        self._permit = permit
        self._held_since: float | None = None
        self._cooldown = cooldown + max((aside.delay for aside in asides.kinds), default=0.0)
        self._asides = asides
        self._askings = tuple(askings)
        self._ids = np.random.default_rng()
        self._pacer = pacer
        self._sending: OpenRange | None = None
        self._begun = 0
        self._seen = dict.fromkeys(RING_COUNTS, 0)
        self.probes = self.suppressed = 0
        self._looked = 0.0
        self._poll = select.poll()
        self._poll.register(listener.receive.socket, select.POLLIN)

    @property
    def idle(self) -> bool:
        """A further range may begin to send."""
        return self._sending is None

    @property
    def busy(self) -> bool:
        """A range sends, cools down or has conversations."""
        return bool(self._listener.open)

    def begin(self, chosen: Range, known: tuple[U32, NDArray[np.uint16]] | None = None) -> None:
        """Begin to send a range; only while idle. `known` targets were visited by an earlier attempt: nobody greets them again."""
        now = time.monotonic()
        self._pacer.resume(now)
        opened = OpenRange.of(chosen, now, self._transmit.name)
        if known is not None:
            opened.slot[self._walk.locate(*known)[1] - chosen.first_index] = SETTLED
        opened.counts.started_at = time.time_ns() // 1000
        self._begun += 1
        self._sending = self._listener.open[self._begun] = opened

    def stop(self) -> None:
        """Send no further probe and greet nobody; the conversations that are open are finished by `tick`."""
        self._listener.stopping = True
        self._sending = None
        self._asides.clear()
        for opened in self._listener.open.values():
            opened.cool_until = min(opened.cool_until, time.monotonic())

    def tick(self) -> Iterator[Event]:
        """Send what the budget allows, wait a little, read what came; to be called again and again."""
        permit = self._permit()
        self._pacer.limit(permit.rate)
        if not permit.held:
            self._send_asides(permit.withheld)
            self._ask(permit.withheld)
        if self._sending and self._may_send(self._sending, held=bool(permit.held)):
            self._send(self._sending, permit)
        self._wait(held=bool(permit.held))
        yield from self._listener.read(permit)
        at = clock.now()
        yield from self._listener.tick(at)
        for number, opened in list(self._listener.open.items()):
            if at.now >= max(opened.cool_until, opened.closed_at) and not opened.talking:
                del self._listener.open[number]
                whole = opened.next_index == opened.range.length and not opened.put_off
                yield Finished(opened.range, opened.conclude(), complete=whole)

    def _wait(self, *, held: bool) -> None:
        """Wait for packets, as long as there is nothing else to do, and let those that come soon be read together."""
        self._poll.poll(self._patience(held=held))
        time.sleep(max(0.0, self._looked + GATHER_SECONDS - time.monotonic()))
        self._looked = time.monotonic()

    def _patience(self, *, held: bool) -> int:
        """Milliseconds to wait for packets before there is something else to do."""
        wait = self._pacer.wait() if self._sending and not held else IDLE_SECONDS
        wait = min(wait, min(self._listener.next_due, self._asides.next_due) - time.monotonic())
        return max(0, int(wait * 1000))

    def _may_send(self, opened: OpenRange, *, held: bool) -> bool:
        """Keep the time in which the register holds the range back; afterwards the pacer begins anew: no burst, no stall."""
        now = time.monotonic()
        if self._held_since is not None:
            opened.counts.paused_seconds += now - self._held_since
            self._pacer.resume(now)
        self._held_since = now if held else None
        return not held

    def _send(self, opened: OpenRange, permit: Permit) -> None:
        count = self._granted(time.monotonic(), opened.range.length - opened.next_index)
        for probes in self._ahead.take(opened.range, opened.next_index, count):
            self._send_some(opened, probes, permit)
        if opened.next_index == opened.range.length:
            self._end(opened)

    def _send_some(self, opened: OpenRange, probes: Probes, permit: Permit) -> None:
        """Send the next probes of a range, those excepted that the register withholds."""
        if len(permit.quarantined.first):
            opened.counts.quarantined += int(permit.quarantined.contains(probes.addresses).sum())
        asked, chosen = probes.but(permit.withheld)
        self._probe(asked)
        at = clock.now()
        place = opened.next_index + chosen
        self._asides.choose(self._begun, place, asked.addresses, asked.ports, asked.cookie.sequence, at.now)
        opened.ask(len(probes), at)
        opened.counts.probes_sent += len(asked)
        opened.counts.suppressed += len(probes) - len(asked)
        self.probes += len(asked)
        self.suppressed += len(probes) - len(asked)

    def _send_asides(self, withheld: Ranges) -> None:
        """Send the probes beside the plan's own that are due, from the same budget."""
        now = time.monotonic()
        asks = any(asking.waits for asking in self._askings)
        if self._sending is None and self._asides.next_due > now and not asks:
            self._pacer.resume(now)
            return
        for due in self._asides.due(now, partial(self._granted, now)):
            opened = self._listener.open.get(due.number)
            if opened is not None:
                asked, chosen = Probes.of(due.aside.secret, due.addresses, due.ports).but(withheld)
                self._probe(asked)
                opened.asked[due.aside.name].append(due.position[chosen])

    def _ask(self, withheld: Ranges) -> None:
        """Send the SYNs that belong to no range, from the same budget."""
        now = time.monotonic()
        for asking in self._askings:
            for wanted in asking.due(now, partial(self._granted, now)):
                self._probe(Probes.of(asking.secret, *wanted).but(withheld)[0])

    def _granted(self, now: float, wanted: int) -> int:
        """How many of the probes that are wanted may go now."""
        return self._pacer.grant(now, self._transmit.room(min(wanted, BATCH)))

    def _probe(self, probes: Probes) -> None:
        """Send a SYN to each target."""
        if len(probes):
            ids = self._ids.integers(0, 65536, len(probes), dtype=np.uint16)
            frames = self._transmit.frames(len(probes))
            packet.fill(frames, self._sums, probes.addresses, probes.ports, probes.cookie, ids)
            self._transmit.send(len(probes))

    def _end(self, opened: OpenRange) -> None:
        """Let a range cool down; what the rings and the pacer counted meanwhile is its own."""
        now = time.monotonic()
        opened.counts.send_seconds = now - opened.began
        opened.cool_until = now + self._cooldown
        receive = self._listener.receive
        totals = (
            receive.count_drops(),
            receive.truncated,
            receive.corrupt,
            self._transmit.rejected,
            self._pacer.stalls,
        )
        for name, total in zip(RING_COUNTS, totals, strict=True):
            setattr(opened.counts, name, total - self._seen[name])
            self._seen[name] = total
        self._sending = None
