"""What comes back: validates packets, hands each to its range, and tells what came of it.

A packet finds its range through the inverse permutation, and the slot of its target there tells whether it is the first, belongs
to a conversation, or comes after its end.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.probe.clock import Clock, now
from pipeline.probe.extra_probes import ExtraProbes
from pipeline.probe.fin_wait import (
    FIN_SECONDS,
    FIN_WAIT,
    RESET,
    SETTLED,
    UNSEEN,
    FinWaitQueue,
    acknowledged,
    fin_wait_state,
)
from pipeline.probe.flow_table import Talked
from pipeline.probe.greeting import Greeter, Settled
from pipeline.probe.harm_arms import HarmArms
from pipeline.probe.liveness import LivenessCheck
from pipeline.probe.range_state import Controls, Deferred, Event, Greeted, OpenRange, Responses
from pipeline.probe.segments import SegmentSender
from pipeline.rings.pcap import Capture
from pipeline.rings.receive import Received, ReceiveRing
from pipeline.space.permit import Permit
from pipeline.space.ranges import I64, U32
from pipeline.space.shard import Range, Walk
from pipeline.wire import packet
from pipeline.wire.cookie import Secret, bake
from pipeline.wire.packet import Answers

#: Of a conversation no more bytes of ours than this are acknowledged: what acknowledges more is no answer to us.
MOST_ACKED = 8192


class Listener:
    """Hears the hosts of the `open` ranges, which have numbers in the order in which they began.

    `begins` is told of targets before they are greeted. Hosts that answer on `handed_on` ports, and those of the harm check's
    `choice`, get no greeting of ours: their half-open connection is reset, and they are told of.
    """

    def __init__(
        self, walk: Walk, secret: Secret, receive: ReceiveRing, speaker: SegmentSender, greeter: Greeter, *,
        asides: ExtraProbes, handed_on: Collection[int], askings: Sequence[LivenessCheck] = (), choice: HarmArms | None = None,
        begins: Callable[[Range, U32, NDArray[np.uint16]], None], capture: Capture | None = None,
    ) -> None:  # fmt: skip
        self._walk = walk
        self._begins = begins
        self._secret = secret
        self.receive = receive
        self._speaker, self._greeter = speaker, greeter
        self._asides, self._askings, self._choice = asides, tuple(askings), choice
        self._handed_on = np.array(sorted(handed_on), dtype=np.uint16)
        self._capture = capture
        self._closing = FinWaitQueue()
        self.open: dict[int, OpenRange] = {}
        self.stopping = False

    @property
    def next_due(self) -> float:
        """When there is something to do though nothing comes, in seconds of the clock."""
        return min(self._greeter.next_due, self._closing.next_due)

    def tick(self, at: Clock) -> Iterator[Greeted]:
        """Let time pass for those that we wait for, and let leave what is to be said to them and to those that were read of."""
        yield from self._told(self._greeter.tick(at))
        self._close(at.now)
        self._speaker.flush()

    def read(self, permit: Permit) -> Iterator[Event]:
        """Read what has come by now, once: what comes meanwhile costs less with more of its kind."""
        received = self.receive.read()
        if len(received.packets):
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
        latest = next(reversed(self.open.values()), None)
        if latest:
            latest.counts.ring_invalid += int((~valid & ~beside).sum())
        if self._capture:
            self._capture.add(received.whole(answers.frame[valid | beside]))
        answers, acked = answers.take(valid), acked[valid]
        shard, local = self._walk.locate(answers.address, answers.port)
        homeless = np.ones(len(shard), dtype=np.bool_)
        for number, opened in list(self.open.items()):
            position, mine = opened.places(shard, local)
            if mine.any():
                homeless &= ~mine
                heard = _Heard(number, opened, answers.take(mine), acked[mine], position[mine])
                yield from self._hear(heard, received, permit)
        self._speaker.late(answers.take(homeless & (answers.flags != 0)))

    def _hear_asides(self, answers: Answers, others: I64, beside: NDArray[np.bool_]) -> Iterator[Event]:
        """Answers to probes beside the plan's own: note whose they are in `beside`, reset them, and count them with their range."""
        for asking in self._askings:
            place = asking.whose(answers, others)
            beside[place] = True
            self._speaker.refuse(asking.hear(answers.take(place)))
        for aside, place in self._asides.whose(answers, others):
            beside[place] = True
            mine = answers.take(place)
            self._speaker.refuse(mine)
            shard, local = self._walk.locate(mine.address, aside.home(mine.port))
            for opened in self.open.values():
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
                chosen, slots[segments].astype(np.int64), heard.acked[segments], received.payloads(chosen), now()
            )
            yield from self._told(told)
        self._hear_late(heard, slots, ~accepted & (flags != 0))
        if first.any():
            yield from self._first(heard.take(first), permit)

    def _hear_late(self, heard: "_Heard", slots: NDArray[np.int32], segments: NDArray[np.bool_]) -> None:
        """Segments of conversations that are over; some acknowledge our FIN, some show that our RST after it missed."""
        answers = heard.answers
        done = segments & (
            acknowledged(slots, heard.acked) | ((slots <= FIN_WAIT) & ((answers.flags & packet.RST) != 0))
        )
        heard.opened.slot[heard.position[done]] = SETTLED
        self._speaker.late(answers.take(segments & ((slots == SETTLED) | (slots <= FIN_WAIT))))
        self._speaker.refuse(answers.take(segments & (slots == RESET) & ((answers.flags & packet.RST) == 0)))

    def _close(self, now: float) -> None:
        """Reset those that have not acknowledged our FIN in time."""
        for number, position, rows in ((each.number, each.position, each.rows) for each in self._closing.due(now)):
            opened = self.open[number]
            left = opened.slot[position] <= FIN_WAIT
            opened.slot[position[left]] = RESET
            self._speaker.say(rows[left], packet.RST | packet.ACK, skip=rows["acked"][left])

    def _first(self, heard: "_Heard", permit: Permit) -> Iterator[Event]:
        """Targets that answered for the first time: greet them, hand them on, or let them be."""
        opened, answers, position = heard.opened, heard.answers, heard.position
        if permit.held or self.stopping:
            opened.put_off += len(position)
            return
        withheld = permit.withheld.contains(answers.address)
        visits_first, held = self._choice.arms(answers) if self._choice else (withheld, np.zeros_like(withheld))
        held &= ~withheld
        handed = np.isin(answers.port, self._handed_on) & ~withheld & ~held
        greeted = ~withheld & ~handed & ~held
        opened.slot[position] = SETTLED
        opened.counts.suppressed_visits += int(withheld.sum())
        self._speaker.refuse(answers.take(~greeted))
        at = now()
        rtt = opened.rtt_us(position, at)
        if greeted.any():
            number = heard.number
            self._begins(opened.range, answers.address[greeted], answers.port[greeted])
            slots = self._greeter.greet(answers.take(greeted), position[greeted], number, rtt[greeted], at)
            opened.slot[position[greeted]] = slots
            opened.talking += len(slots)
            opened.counts.greetings += len(slots)
        if held.any():
            opened.counts.held_back += int(held.sum())
            yield Deferred(opened.range, answers.take(held), time.time_ns() // 1000, rtt[held], visits_first[held])
        if handed.any():
            yield Responses(opened.range, answers.take(handed), time.time_ns() // 1000, rtt[handed])

    def _told(self, results: Iterable[Settled | Talked]) -> Iterator[Greeted]:
        """What came of conversations: their targets are settled."""
        for result in results:
            opened, at = self.open[result.range], time.monotonic()
            rows = np.atleast_1d(result.rows if isinstance(result, Settled) else np.array(result.row))
            position = rows["position"].astype(np.int64)
            opened.slot[position] = fin_wait_state(result.sent)
            opened.talking -= len(position)
            if result.sent:
                self._closing.add(result.range, position, rows, at)
                opened.closed_at = at + 2 * FIN_SECONDS
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
