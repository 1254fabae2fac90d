"""The packet engine: sends the probes of ranges at the set rate, and reports what comes back.

Theory of operation
===================

One thread, no callbacks: a sender's process calls `tick` again and again. A tick does, in this order:

1. *Read the permit* of the opt-out register: the rate now, the addresses withheld, or a pause. It is read before every batch, or ten
   times a second at a slow rate, so an opt-out takes effect within one. The filter comes after index → address: it leaves targets
   out, and shifts no index. After that, `before_batch` sees to it that the kernel still leaves our connections alone
   (`rst_filter`), and takes the way that is permitted.
2. *Send what is due*: extra probes, liveness checks, then the plan's own probes, all from one token bucket (`pacer`). Extra probes
   have a time at which they are due, and the plan's have none, so they go first. At a slow rate, where most of a sender's time is
   what it takes to wake, it then sends the plan's own by the same permit, as long as nothing comes (decision 34).
3. *Wait*, at least until the gap of the pacer has passed since the last wait, and then as long as there is nothing to send, to read
   or otherwise due. A call of numpy costs as much for five packets as for a hundred, so packets that come one after another are
   left to be read together.
4. *Read* what came (`listener`), run the timers, and send the segments that both have caused.
5. *Finish* the ranges that have cooled down and have no conversation left.

One range sends at a time, but many are open: a range cools down while the next one sends. The inverse permutation says which of
them an answer belongs to.

What the rings and the pacer count has no range. Their totals are read when a range has been sent; what they have counted since the
range before was sent is its own.

A pause (`pacer.Pause`) is neither a stall nor sending time: its seconds are counted, and the pacer starts again without a burst.

A probe that the interface refuses is sent again (`outlet`), and its range cools down after that. When our own link is cut off,
the open ranges are void (`outage`).
"""

import select
import socket
import time
from collections.abc import Iterator
from functools import partial

from pipeline.probe import clock
from pipeline.probe.engine_events import Event, Finished
from pipeline.probe.listener import Listener
from pipeline.probe.outage import Machine
from pipeline.probe.outlet import BATCH, ProbeOutlet
from pipeline.probe.pacer import Pacer, Pause
from pipeline.probe.probe_set import ProbeSet
from pipeline.probe.probes import ProbeBuffer, Probes
from pipeline.probe.range_state import OpenRange, Targets
from pipeline.rings.transmit import ProbeRing
from pipeline.space.permit import Permit
from pipeline.space.ranges import Ranges
from pipeline.space.shard import Range
from pipeline.wire.packet import Link, template

#: How long to wait for answers where nothing may be sent, in seconds.
IDLE_SECONDS = 0.005
#: Packets are read at least so often while there is more to send, in seconds: what comes meanwhile costs less if it is read together.
READ_SECONDS = 0.020
#: At a slow rate this long is sent by one permit, in seconds, unless packets come.
PERMIT_SECONDS = 0.1
#: What rings and pacer count since they were made; a range's own is what came since the range before.
RING_COUNTS = ("ring_dropped", "ring_truncated", "ring_corrupt", "ring_rejected", "stalls")


class PacketEngine:
    """A `ProbeEngine` over packet rings. It owns the rings and no thread, and asks for a permit before every batch."""

    def __init__(
        self, probes: ProbeSet, transmit: ProbeRing, listener: Listener, *, machine: Machine, pacer: Pacer
    ) -> None:
        self._probes, self._walk = probes, probes.walk
        self._buffer = ProbeBuffer(probes.walk, probes.secret, bakes=not transmit.bakes)
        self._extra, self._liveness = probes.extra, probes.liveness
        self._cooldown = probes.cooldown + probes.extra.longest_delay
        self._outlet = ProbeOutlet(transmit, pacer, machine.count_sent)
        self._ring, self._listener = transmit, listener
        self._machine, self._pacer, self._pause = machine, pacer, Pause(pacer)
        self._sending: OpenRange | None = None
        self._serial = 0
        self._ring_counts = dict.fromkeys(RING_COUNTS, 0)
        self._waited, self._frames_taken = 0.0, 0
        self._poll = select.poll()
        self._poll.register(listener.receive.socket, select.POLLIN)
        self.probes = self.suppressed = 0

    @property
    def idle(self) -> bool:
        """Another range may begin to send."""
        return self._sending is None

    @property
    def busy(self) -> bool:
        """A range sends, cools down or has conversations."""
        return bool(self._listener.open)

    def begin(self, range_: Range, visited: Targets | None = None) -> None:
        """Begin to send a range; only while idle. `visited` targets get a probe like all others, and no second greeting."""
        now = time.monotonic()
        self._pacer.resume(now)
        opened = OpenRange.begin(range_, now, self._ring.engine)
        if visited is not None:
            opened.mark_visited(self._walk, visited)
        opened.counts.started_at = time.time_ns() // 1000
        self._serial += 1
        self._sending = self._listener.open[self._serial] = opened

    def stop(self) -> None:
        """Send no further probe and greet nobody; `tick` finishes the conversations that are open."""
        self._listener.stopping = True
        self._sending = None
        self._extra.clear()
        self._outlet.drop_refused(self._listener.open)
        for opened in self._listener.open.values():
            opened.cool_until = min(opened.cool_until, time.monotonic())

    def change_link(self, link: Link) -> None:
        """Send all further probes by another link. Some may have gone astray before, so the open ranges run again."""
        self._ring.change_template(template(link))
        for opened in self._listener.open.values():
            opened.ungreeted += bool(opened.next_position)

    def tick(self) -> Iterator[Event]:
        """Send what the budget allows, wait a little, and yield what has happened."""
        while self._send_batch(permit := self._permit()) and time.monotonic() < self._waited + READ_SECONDS:
            pass
        if self._pacer.slow and not permit.pause_reason:
            self._send_on(permit)
        self._wait(paused=bool(permit.pause_reason))
        yield from self._listener.read(permit)
        at = clock.now()
        yield from self._listener.tick(at)
        for serial, opened in list(self._listener.open.items()):
            if at.now >= max(opened.cool_until, opened.closed_at) and not opened.conversations:
                del self._listener.open[serial]
                yield Finished(opened.range, opened.final_counts(), opened.complete, opened.second_syns(self._walk))

    # --- wait ---

    def _wait(self, *, paused: bool) -> None:
        """Wait until packets can be read together; then for packets, until there is something else to do."""
        now = time.monotonic()
        due = now + self._patience(now, paused=paused)
        time.sleep(max(0.0, self._waited + self._pacer.gap - now))
        for _, event in self._poll.poll(max(0, int((due - time.monotonic()) * 1000))):
            if event & select.POLLERR:  # the interface went down: reading the error clears it (socket(7))
                self._listener.receive.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self._waited = time.monotonic()
        self._listener.lag.turn(self._waited, waited=max(due - now, self._pacer.gap))

    def _patience(self, now: float, *, paused: bool) -> float:
        """Seconds until there is something else to do than to wait for packets; negative if it is overdue."""
        wait = self._pacer.wait() if self._sending and not paused else IDLE_SECONDS
        return min(wait, min(self._listener.next_due, self._extra.next_due) - now)

    # --- send ---

    def _permit(self) -> Permit:
        """The permit of the next batch."""
        permit = self._machine.permit()
        self._machine.before_batch()
        self._pacer.limit(permit.rate)
        if permit.cut_off:
            self._cut_off()
        return permit

    def _send_batch(self, permit: Permit) -> bool:
        """Send what is due, at most a batch of the plan's own probes; whether it was a whole one, so that more may be due."""
        paused = bool(permit.pause_reason)
        if not paused:
            self._outlet.send_again(self._listener.open, permit.withheld)
            self._send_extra(permit.withheld)
            self._send_liveness(permit.withheld)
        return self._sending is not None and self._send(self._sending, permit, paused=paused) == BATCH

    def _send(self, opened: OpenRange, permit: Permit, *, paused: bool) -> int:
        """Send the plan's own probes to the next targets of a range, unless the register pauses it; return to how many."""
        now = time.monotonic()
        opened.counts.paused_seconds += self._pause.elapsed(now, paused=paused)
        if paused:
            return 0
        count = self._outlet.grant(now, opened.range.length - opened.next_position)
        for probes in self._buffer.take(opened.range, opened.next_position, count):
            self._send_some(opened, probes, permit)
        if opened.all_sent and not self._outlet.has_refused:
            self._cool_down(opened)
        return count

    def _send_on(self, permit: Permit) -> None:
        """Send more of the plan's own probes by the same permit, while nothing comes and no conversation is due."""
        until = min(self._waited + PERMIT_SECONDS, self._listener.next_due)
        while self._sending is not None and not self._listener.receive.ready:
            now = time.monotonic()
            due = max(self._waited + self._pacer.gap, now + self._pacer.wait())
            if due > until:
                return
            time.sleep(max(0.0, due - now))
            self._waited = time.monotonic()
            self._listener.lag.turn(self._waited, waited=due - now)
            self._send(self._sending, permit, paused=False)

    def _send_some(self, opened: OpenRange, probes: Probes, permit: Permit) -> None:
        """Send the next probes of a range, except those that the register withholds."""
        if len(permit.quarantined.first):
            opened.counts.quarantined += int(permit.quarantined.contains(probes.addresses).sum())
        allowed, which = probes.without(permit.withheld)
        self._outlet.send(allowed, self._serial, opened.next_position + which)
        at = clock.now()
        if len(allowed):
            self._extra.schedule(self._serial, opened.next_position + which, allowed, self._ring.tags, at.now)
        opened.mark_sent(len(probes), at)
        withheld = len(probes) - len(allowed)
        opened.counts.probes_sent += len(allowed)
        opened.counts.suppressed += withheld
        self.probes += len(allowed)
        self.suppressed += withheld

    def _cut_off(self) -> None:
        """Void the ranges of which anything was sent, and send from other ports; a range that has just begun waits."""
        self._outlet.drop_refused(self._listener.open)
        self._listener.abandon()
        self._extra.clear()
        for check in self._liveness:
            check.begin_again()
        void = [opened for opened in self._listener.open.values() if opened.next_position]
        for opened in void:
            opened.void(time.monotonic())
        if void:
            self._probes.turn()
            self._buffer = ProbeBuffer(self._walk, self._probes.secret, bakes=not self._ring.bakes)
        if self._sending and self._sending.next_position:
            self._sending = None

    def _send_extra(self, withheld: Ranges) -> None:
        """Send the extra probes that are due, from the same budget."""
        now = time.monotonic()
        pending = any(check.pending for check in self._liveness)
        if self._sending is None and self._extra.next_due > now and not pending:
            self._pacer.resume(now)
            return
        for due in self._extra.due(now, partial(self._outlet.grant, now)):
            opened = self._listener.open.get(due.serial)
            if opened is not None:
                probes, which = Probes.of(due.kind.secret, due.addresses, due.ports).without(withheld)
                self._outlet.send(probes)
                opened.extra_sent[due.kind.name].append(due.position[which])

    def _send_liveness(self, withheld: Ranges) -> None:
        """Send the SYNs of liveness checks, from the same budget."""
        now = time.monotonic()
        for check in self._liveness:
            for probes in check.due(now, partial(self._outlet.grant, now), withheld):
                self._outlet.send(probes)

    def _cool_down(self, opened: OpenRange) -> None:
        """End the sending of a range; what the rings and the pacer have counted meanwhile is its own."""
        now = time.monotonic()
        opened.counts.send_seconds = now - opened.began
        opened.cool_until = now + self._cooldown
        receive = self._listener.receive
        sent, paced = self._ring, self._pacer
        totals = (receive.count_drops(), receive.truncated, receive.corrupt, sent.rejected, paced.stalls)
        for name, total in zip(RING_COUNTS, totals, strict=True):
            setattr(opened.counts, name, total - self._ring_counts[name])
            self._ring_counts[name] = total
        if (taken := self._ring.taken) is not None:
            opened.counts.frames_taken = taken - self._frames_taken
            self._frames_taken = taken
        self._sending = None
