"""The engine: sends the probes of ranges at the set rate, greets who answers, and tells what came of it.

A range cools down while the next one sends; a packet finds its range through the inverse permutation, and the slot of its target
there tells whether it is the first, belongs to a conversation, or comes after its end.
"""

import select
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pipeline.pcap import Capture
from pipeline.probe.aside import Aside, Asides
from pipeline.probe.asking import Asking
from pipeline.probe.greeting import Clock, Greeter, Settled, Talked
from pipeline.probe.harm import Choice
from pipeline.probe.open_range import (
    SETTLED,
    UNSEEN,
    Controls,
    Event,
    Finished,
    Greeted,
    Held,
    OpenRange,
    Responses,
)
from pipeline.probe.pacer import Pacer
from pipeline.ring import Received, ReceiveRing, TransmitRing
from pipeline.space.ranges import I64, U32, Ranges
from pipeline.space.register import Permit
from pipeline.space.shard import Range, Walk
from pipeline.wire import packet
from pipeline.wire.cookie import Cookie, Secret, bake
from pipeline.wire.packet import Answers, Sums

BATCH = 8192
#: How long to wait for answers where nothing may be sent, in seconds.
IDLE_SECONDS = 0.005
#: What rings and pacer count since they were made; a range's own is what came meanwhile.
RING_COUNTS = ("ring_dropped", "ring_truncated", "ring_corrupt", "ring_rejected", "stalls")
#: Of a conversation no more bytes of ours than this are acknowledged: what acknowledges more is no answer to us.
MOST_ACKED = 8192


class Engine:
    """One sender. Drive it with `tick`; it owns the rings and no thread. It asks `permit` before every batch.

    Hosts that answer on `handed_on` ports get no greeting of ours: their half-open connection is reset, and they are told of.
    """

    def __init__(
        self, walk: Walk, secret: Secret, transmit: TransmitRing, receive: ReceiveRing, greeter: Greeter, *,
        permit: Callable[[], Permit], frame: bytes, rate: int, cooldown: float, handed_on: Collection[int],
        asides: Sequence[Aside] = (), askings: Sequence[Asking] = (), choice: Choice | None = None,
        capture: Capture | None = None,
    ) -> None:  # fmt: skip
        self._walk = walk
        self._secret = secret
        self._transmit = transmit
        self._receive = receive
        self._greeter = greeter
        self._sums = Sums.over(frame)
        self._permit = permit
        self._capture = capture
        self._handed_on = np.array(sorted(handed_on), dtype=np.uint16)
        self._held_since: float | None = None
        self._cooldown = cooldown + max((aside.delay for aside in asides), default=0.0)
        self._asides = Asides(tuple(asides))
        self._askings = tuple(askings)
        self._choice = choice
        self._ids = np.random.default_rng()
        self._pacer = Pacer(rate, time.monotonic())
        self._sending: OpenRange | None = None
        self._open: dict[int, OpenRange] = {}
        self._begun = 0
        self._stopping = False
        self._seen = dict.fromkeys(RING_COUNTS, 0)
        self.probes = self.suppressed = 0
        self._poll = select.poll()
        self._poll.register(receive.socket, select.POLLIN)

    @property
    def idle(self) -> bool:
        """A further range may begin to send."""
        return self._sending is None

    @property
    def busy(self) -> bool:
        """A range sends, cools down or has conversations."""
        return bool(self._open)

    def begin(self, chosen: Range, known: tuple[U32, NDArray[np.uint16]] | None = None) -> None:
        """Begin to send a range; only while idle. `known` targets were visited by an earlier attempt: nobody greets them again."""
        now = time.monotonic()
        self._pacer.resume(now)
        opened = OpenRange.of(chosen, now)
        if known is not None:
            opened.slot[self._walk.locate(*known)[1] - chosen.first_index] = SETTLED
        opened.counts.started_at = time.time_ns() // 1000
        self._begun += 1
        self._sending = self._open[self._begun] = opened

    def stop(self) -> None:
        """Send no further probe and greet nobody; the conversations that are open are finished by `tick`."""
        self._stopping = True
        self._sending = None
        self._asides.clear()
        for opened in self._open.values():
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
        self._poll.poll(self._patience(held=bool(permit.held)))
        yield from self._read(permit)
        at = _now()
        yield from self._told(self._greeter.tick(at))
        for number, opened in list(self._open.items()):
            if at.now >= opened.cool_until and not opened.talking:
                del self._open[number]
                whole = opened.next_index == opened.range.length and not opened.put_off
                yield Finished(opened.range, opened.conclude(), complete=whole)

    def _patience(self, *, held: bool) -> int:
        """Milliseconds to wait for packets before there is something else to do."""
        wait = self._pacer.wait() if self._sending and not held else IDLE_SECONDS
        wait = min(wait, min(self._greeter.next_due, self._asides.next_due) - time.monotonic())
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
        left = opened.range.length - opened.next_index
        count = self._granted(time.monotonic(), left)
        if count:
            begin = opened.range.first_index + opened.next_index
            targets = self._walk.targets(opened.range.shard, begin, begin + count)
            addresses, ports, chosen = _asked(*targets, permit.withheld)
            if len(permit.quarantined.first):
                opened.counts.quarantined += int(permit.quarantined.contains(targets[0]).sum())
            sent = self._probe(addresses, ports, bake(self._secret, addresses, ports))
            self._asides.choose(self._begun, opened.next_index + chosen, addresses, ports, time.monotonic())
            opened.next_index += count
            opened.batches.append((opened.next_index, time.monotonic()))
            opened.counts.probes_sent += sent
            opened.counts.suppressed += count - sent
            self.probes += sent
            self.suppressed += count - sent
        if opened.next_index == opened.range.length:
            self._end(opened)

    def _send_asides(self, withheld: Ranges) -> None:
        """Send the probes beside the plan's own that are due, from the same budget."""
        now = time.monotonic()
        asks = any(asking.waits for asking in self._askings)
        if self._sending is None and self._asides.next_due > now and not asks:
            self._pacer.resume(now)
            return
        for due in self._asides.due(now, partial(self._granted, now)):
            opened = self._open.get(due.number)
            if opened is not None:
                addresses, ports, chosen = _asked(due.addresses, due.ports, withheld)
                self._probe(addresses, ports, bake(due.aside.secret, addresses, ports))
                opened.asked[due.aside.name].append(due.position[chosen])

    def _ask(self, withheld: Ranges) -> None:
        """Send the SYNs that belong to no range, from the same budget."""
        now = time.monotonic()
        for asking in self._askings:
            for wanted in asking.due(now, partial(self._granted, now)):
                addresses, ports, _ = _asked(*wanted, withheld)
                self._probe(addresses, ports, bake(asking.secret, addresses, ports))

    def _granted(self, now: float, wanted: int) -> int:
        """How many of the probes that are wanted may go now."""
        return self._pacer.grant(now, self._transmit.room(min(wanted, BATCH)))

    def _probe(self, addresses: U32, ports: NDArray[np.uint16], cookie: Cookie) -> int:
        """Send a SYN to each target; how many that were."""
        count = len(addresses)
        if count:
            ids = self._ids.integers(0, 65536, count, dtype=np.uint16)
            packet.fill(self._transmit.frames(count), self._sums, addresses, ports, cookie, ids)
            self._transmit.send(count)
        return count

    def _end(self, opened: OpenRange) -> None:
        """Let a range cool down; what the rings and the pacer counted meanwhile is its own."""
        now = time.monotonic()
        opened.counts.send_seconds = now - opened.began
        opened.cool_until = now + self._cooldown
        receive = self._receive
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

    # --- what comes back ---

    def _read(self, permit: Permit) -> Iterator[Event]:
        while True:
            received = self._receive.read()
            if not len(received.packets):
                return
            yield from self._sort(packet.read_answers(received.packets, received.lengths), received, permit)

    def _sort(self, answers: Answers, received: Received, permit: Permit) -> Iterator[Event]:
        """Validate packets and hand each to its range; what belongs to none that is open comes after its end."""
        cookie = bake(self._secret, answers.address, answers.port)
        acked = answers.our_sequence - cookie.sequence
        bare_reset = (answers.flags & (packet.RST | packet.ACK)) == packet.RST
        valid = (cookie.source_port == answers.our_port) & ((acked <= MOST_ACKED) | bare_reset)
        beside = np.zeros(len(valid), dtype=np.bool_)
        if not valid.all():
            yield from self._hear_asides(answers, np.flatnonzero(~valid), beside)
        latest = self._sending or next(reversed(self._open.values()), None)
        if latest:
            latest.counts.ring_invalid += int((~valid & ~beside).sum())
        if self._capture:
            self._capture.add(received.whole(answers.frame[valid | beside]))
        answers, acked = answers.take(valid), acked[valid]
        shard, local = self._walk.locate(answers.address, answers.port)
        homeless = np.ones(len(shard), dtype=np.bool_)
        for number, opened in list(self._open.items()):
            position, mine = opened.places(shard, local)
            if mine.any():
                homeless &= ~mine
                heard = _Heard(number, opened, answers.take(mine), acked[mine], position[mine])
                yield from self._hear(heard, received, permit)
        self._greeter.late(answers.take(homeless & (answers.flags != 0)))

    def _hear_asides(self, answers: Answers, others: I64, beside: NDArray[np.bool_]) -> Iterator[Event]:
        """Answers to probes beside the plan's own: note whose they are in `beside`, reset them, and count them with their range."""
        for asking in self._askings:
            place = asking.whose(answers, others)
            beside[place] = True
            self._greeter.refuse(asking.hear(answers.take(place)))
        for aside, place in self._asides.whose(answers, others):
            beside[place] = True
            mine = answers.take(place)
            self._greeter.refuse(mine)
            shard, local = self._walk.locate(mine.address, aside.home(mine.port))
            for opened in self._open.values():
                position, inside = opened.places(shard, local)
                opened.heard[aside.name].append(position[inside])
                if aside.port and inside.any():
                    yield Controls(opened.range, mine.take(inside), time.time_ns() // 1000)

    def _hear(self, heard: "_Heard", received: Received, permit: Permit) -> Iterator[Event]:
        """Packets of one range: first answers, segments of conversations, and what comes after them."""
        slots = heard.opened.slot[heard.position]
        counts, flags = heard.opened.counts, heard.answers.flags
        counts.unreachable += int((flags == 0).sum())
        counts.resets += int(((flags & packet.RST) != 0)[slots == UNSEEN].sum())
        accepted = ((flags & (packet.SYN | packet.ACK | packet.RST)) == packet.SYN | packet.ACK) & (heard.acked == 0)
        counts.answers += int(accepted.sum())
        heard.opened.answered[heard.position[accepted]] = True
        first = np.zeros(len(slots), dtype=np.bool_)
        candidates = np.flatnonzero(accepted & (slots == UNSEEN))
        first[candidates[np.unique(heard.position[candidates], return_index=True)[1]]] = True
        counts.duplicates += int(accepted.sum() - first.sum())
        segments = (slots >= 0) & ~accepted & (flags != 0)
        if segments.any():
            chosen = heard.answers.take(segments)
            told = self._greeter.hear(
                chosen, slots[segments].astype(np.int64), heard.acked[segments], received.payloads(chosen), _now()
            )
            yield from self._told(told)
        self._greeter.late(heard.answers.take((slots == SETTLED) & ~accepted & (flags != 0)))
        if first.any():
            yield from self._first(heard.take(first), permit)

    def _first(self, heard: "_Heard", permit: Permit) -> Iterator[Event]:
        """Targets that answered for the first time: greet them, hand them on, or let them be."""
        opened, answers, position = heard.opened, heard.answers, heard.position
        if permit.held or self._stopping:
            opened.put_off += len(position)
            return
        withheld = permit.withheld.contains(answers.address)
        visits_first, held = self._choice.arms(answers) if self._choice else (withheld, np.zeros_like(withheld))
        held &= ~withheld
        handed = np.isin(answers.port, self._handed_on) & ~withheld & ~held
        greeted = ~withheld & ~handed & ~held
        opened.slot[position] = SETTLED
        opened.counts.suppressed_visits += int(withheld.sum())
        self._greeter.refuse(answers.take(~greeted))
        rtt = _rtt(opened, position)
        if greeted.any():
            number = heard.number
            slots = self._greeter.greet(answers.take(greeted), position[greeted], number, rtt[greeted], _now())
            opened.slot[position[greeted]] = slots
            opened.talking += len(slots)
            opened.counts.greetings += len(slots)
        if held.any():
            opened.counts.held_back += int(held.sum())
            yield Held(opened.range, answers.take(held), time.time_ns() // 1000, rtt[held], visits_first[held])
        if handed.any():
            yield Responses(opened.range, answers.take(handed), time.time_ns() // 1000, rtt[handed])

    def _told(self, results: Iterable[Settled | Talked]) -> Iterator[Greeted]:
        """What came of conversations: their targets are settled."""
        for result in results:
            opened = self._open[result.range]
            position = np.atleast_1d(result.rows["position"] if isinstance(result, Settled) else result.row["position"])
            opened.slot[position] = SETTLED
            opened.talking -= len(position)
            yield Greeted(opened.range, result)


@dataclass(frozen=True, slots=True)
class _Heard:
    """Valid packets of one open range, and where in it their targets are."""

    number: int
    opened: OpenRange
    answers: Answers
    acked: U32
    position: NDArray[np.int64]

    def take(self, chosen: NDArray[np.bool_]) -> "_Heard":
        """Those that are chosen."""
        return _Heard(self.number, self.opened, self.answers.take(chosen), self.acked[chosen], self.position[chosen])


def _now() -> Clock:
    return Clock(time.monotonic(), time.time_ns() // 1000)


def _asked(addresses: U32, ports: NDArray[np.uint16], withheld: Ranges) -> tuple[U32, NDArray[np.uint16], I64]:
    """The targets that the register does not withhold, and their places among all of these."""
    if not len(withheld.first):
        return addresses, ports, np.arange(len(addresses))
    asked = np.flatnonzero(~withheld.contains(addresses))
    return addresses[asked], ports[asked], asked


def _rtt(opened: OpenRange, position: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Microseconds since the batches in which these targets were asked, of shape (n,)."""
    after, sent = (np.array(column) for column in zip(*opened.batches, strict=True))
    asked = sent[np.searchsorted(after, position, side="right").clip(0, len(sent) - 1)]
    return np.asarray(((time.monotonic() - asked) * 1e6).clip(0, 2**32 - 1), dtype=np.uint32)
