"""What comes back: validates packets, hands each to the range of its target, and reports what has happened.

Theory of operation
===================

The sender keeps nothing of a probe but when it left. An answer shows by itself which probe it answers, and where its state is.

1. *Validate.* An answer is ours if the acknowledgement number and the port that it came to are those that the secret gives for its
   source (`wire.cookie`), whose tag is hashed once. On a connection the acknowledgement grows with what we send, so up to MOST_ACKED
   bytes more are accepted; a bare RST acknowledges nothing, and is accepted for its port alone. Packets that fail may answer liveness
   checks or extra probes, whose numbers are some steps from the tag, or be of void connections (`probe_set`). All others are counted
   as `ring_invalid` and dropped; they cost little more than the hash.
2. *Locate.* The inverse permutation gives a target's shard and local index, that its position in an open range, or in none of them.
3. *Look at the target's state* (`OpenRange.state`, `fin_wait`). UNSEEN: a SYN-ACK is a first answer. A slot: the greeter's. Below:
   the connection is over, and the segment is late.
4. *Decide once.* A first answer settles what becomes of its target: it is greeted here, deferred for the harm check, handed on to
   the associators (TLS ports, capabilities), or left alone since the register withholds it. All but the first are reset, as are
   those of targets that an earlier attempt settled. Who answers a second SYN alone is handed on (`second_answers`).
   Nothing is decided while the register pauses us, or while we are stopping: the target stays UNSEEN, and its range incomplete.

The order within a batch matters. The greeter takes segments of known slots before first answers are greeted: none in this batch can
belong to a connection that begins in it. A target is logged before its greeting, so that a crash between the two counts a visit too
many rather than too few. Nothing leaves before `SegmentSender.flush`, at the end of `tick`.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.outcome import CloseKind
from pipeline.probe import second_answers
from pipeline.probe.clock import Clock, now, taken_us
from pipeline.probe.engine_events import Controls, Deferred, Event, Greeted, Responses
from pipeline.probe.extra_probes import CONTROL, SECOND, ExtraProbe
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
from pipeline.probe.greeting import Greeter, ReceivedSegments, SynAcks
from pipeline.probe.harm_arms import HarmArms
from pipeline.probe.located import LocatedPackets
from pipeline.probe.loop_lag import LoopLag
from pipeline.probe.probe_set import ProbeSet, validated
from pipeline.probe.range_state import OpenRange
from pipeline.probe.result import Result
from pipeline.probe.segments import SegmentSender
from pipeline.rings.pcap import Capture
from pipeline.rings.receive import Received, ReceiveRing
from pipeline.space.permit import Permit
from pipeline.space.ranges import U32
from pipeline.space.shard import Range
from pipeline.wire import packet
from pipeline.wire.cookie import tags
from pipeline.wire.packet import Answers

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FirstAnswers:
    """What becomes of targets at their first answer: greeted, unless one of these says otherwise."""

    log: Callable[[Range, U32, NDArray[np.uint16]], None]
    """Writes down which targets are greeted, before they are."""
    handed_on: frozenset[int] = frozenset()
    """Ports whose hosts the associators visit."""
    arms: HarmArms | None = None
    """Which targets the harm check defers."""


class Listener:
    """Receives from the targets of the `open` ranges, which have serial numbers in the order in which they began."""

    def __init__(
        self, probes: ProbeSet, receive: ReceiveRing, segments: SegmentSender, greeter: Greeter,
        first_answers: FirstAnswers, capture: Capture | None = None,
    ) -> None:  # fmt: skip
        self._probes, self.receive, self._segments, self._greeter = probes, receive, segments, greeter
        self._log, self._arms = first_answers.log, first_answers.arms
        self._handed_on = np.array(sorted(first_answers.handed_on), dtype=np.uint16)
        self._capture, self._fin_wait = capture, FinWaitQueue()
        self.open: dict[int, OpenRange] = {}
        self.lag, self.stopping, self._latest = LoopLag(), False, 0

    @property
    def exposed(self) -> int:
        """How many packets the last read took or have come since."""
        return self._latest + self.receive.waiting

    @property
    def next_due(self) -> float:
        """When there is something to do even if nothing comes, in seconds of the clock."""
        return min(self._greeter.next_due, self._fin_wait.next_due)

    def tick(self, at: Clock) -> Iterator[Greeted]:
        """Run the timers, then send all that they and the packets read before have caused."""
        yield from self._settle(self._greeter.tick(at))
        self._reset_unfinished(at.now)
        self._segments.flush()

    def read(self, permit: Permit) -> Iterator[Event]:
        """Read once what has come by now. Packets that come meanwhile cost less if they are read together, next time."""
        received = self.receive.read()
        self._latest = len(received.packets)
        if len(received.packets):
            yield from self._sort(packet.read_answers(received.packets, received.lengths), received, permit)

    def abandon(self) -> None:
        """Forget all connections, without a result: our own link is cut off. Their targets wait for another attempt."""
        self._greeter.abandon()
        self._fin_wait.clear()
        self._segments.clear()
        for opened in self.open.values():
            opened.ungreeted += opened.conversations
            opened.conversations = 0

    # --- validate and locate ---

    def _sort(self, answers: Answers, received: Received, permit: Permit) -> Iterator[Event]:
        """Validate packets and hand each to the range of its target; those of no open range come after its end."""
        taken = taken_us(received.seen_at, now())[answers.frame]
        tagged = tags(self._probes.secret, answers.address, answers.port)
        valid, acked = validated(self._probes.secret, answers, tagged)
        extra = ~valid
        if extra.any():
            extra &= self._of_others(answers, tagged)
        if extra.any():
            yield from self._receive_extra(answers.take(extra), tagged[extra], taken[extra], permit)
        latest = next(reversed(self.open.values()), None)
        if latest:
            latest.counts.ring_invalid += int((~valid & ~extra).sum())
        if self._capture:
            self._capture.add(received.whole(answers.frame[valid | extra]))
        if not valid.any():
            return
        answers, acked, taken = answers.take(valid), acked[valid], taken[valid]
        shard, local = self._probes.walk.locate(answers.address, answers.port)
        homeless = np.ones(len(shard), dtype=np.bool_)
        for serial, opened in list(self.open.items()):
            position, mine = opened.range.positions(shard, local)
            if mine.any():
                homeless &= ~mine
                packets = LocatedPackets(serial, opened, answers, position, taken, acked).take(mine)
                yield from self._receive(packets, received, permit)
        self._segments.reply_closed(answers.take(homeless & (answers.flags != 0)))

    def _of_others(self, answers: Answers, tagged: U32) -> Bools:
        """Which packets answer liveness checks or extra probes, or come on connections that are void."""
        others = self._probes.of_before(answers, tagged)
        for check in self._probes.liveness:
            others |= check.answers(answers, tagged)
        for kind in self._probes.extra.kinds:
            others |= kind.answers(answers, tagged)
        return others

    def _receive_extra(self, answers: Answers, tagged: U32, taken: U32, permit: Permit) -> Iterator[Event]:
        """Take answers to liveness checks and extra probes: reset them, and count them with their range.

        What comes on connections that are void is among them, and reset.
        """
        self._segments.reset(answers.take((answers.flags & packet.RST) == 0))
        for check in self._probes.liveness:
            check.receive(answers.take(check.answers(answers, tagged)))
        for kind in self._probes.extra.kinds:
            mine = kind.answers(answers, tagged)
            if mine.any():
                yield from self._count_extra(kind, answers.take(mine), taken[mine], permit)

    def _count_extra(self, kind: ExtraProbe, answers: Answers, taken: U32, permit: Permit) -> Iterator[Event]:
        """Count answers to extra probes with the ranges of their targets; report controls, and targets to be visited."""
        shard, local = self._probes.walk.locate(answers.address, kind.plan_ports(answers.port))
        for serial, opened in self.open.items():
            position, inside = opened.range.positions(shard, local)
            opened.extra_answered[kind.name].append(position[inside])
            if kind.name == CONTROL and inside.any():
                yield Controls(opened.range, answers.take(inside), time.time_ns() // 1000)
            if kind.name == SECOND:
                inside = inside & ~self._arms.arms(answers.address)[1] if self._arms else inside
                allowed = None if self.stopping else permit
                acked = np.zeros(len(position), dtype=np.uint32)
                packets = LocatedPackets(serial, opened, answers, position, taken, acked).take(inside)
                yield from second_answers.visits(packets, allowed, kind.delay)

    # --- by the target's state ---

    def _receive(self, packets: LocatedPackets, received: Received, permit: Permit) -> Iterator[Event]:
        """Take packets of one range: first answers, segments of connections, and what comes after their end."""
        opened, answers, position = packets.opened, packets.answers, packets.position
        state, counts, flags = opened.state[position], opened.counts, answers.flags
        counts.unreachable += int((flags == 0).sum())
        counts.resets += int(((flags & packet.RST) != 0)[state == UNSEEN].sum())
        syn_acks = ((flags & (packet.SYN | packet.ACK | packet.RST)) == packet.SYN | packet.ACK) & (packets.acked == 0)
        counts.answers += int(syn_acks.sum())
        counts.duplicates += int(syn_acks.sum()) - opened.mark_answered(position[syn_acks])
        first = np.zeros(len(state), dtype=np.bool_)
        candidates = np.flatnonzero(syn_acks & (state == UNSEEN))
        first[candidates[np.unique(position[candidates], return_index=True)[1]]] = True
        segments = (state >= 0) & ~syn_acks & (flags != 0)
        if segments.any():
            of_slots = answers.take(segments)
            slots = state[segments].astype(np.int64)
            payloads = received.payloads(of_slots)
            results = self._greeter.receive(ReceivedSegments(of_slots, slots, packets.acked[segments], payloads, now()))
            yield from self._settle(results)
        self._receive_late(packets, state, syn_acks)
        if first.any():
            yield from self._decide(packets.take(first), permit)

    def _receive_late(self, packets: LocatedPackets, state: NDArray[np.int32], syn_acks: Bools) -> None:
        """Take segments of connections that are over. Some acknowledge our FIN, some show that our RST after it was lost."""
        answers = packets.answers
        reset, segments = (answers.flags & packet.RST) != 0, ~syn_acks & (answers.flags != 0)
        done = segments & (acknowledged(state, packets.acked) | ((state <= FIN_WAIT) & reset))
        packets.opened.state[packets.position[done]] = SETTLED
        self._segments.reply_closed(answers.take(segments & ((state == SETTLED) | (state <= FIN_WAIT))))
        unfinished = (state == RESET) | (syn_acks & (state == SETTLED))
        self._segments.reset(answers.take(unfinished & ~reset & (answers.flags != 0)))

    def _decide(self, packets: LocatedPackets, permit: Permit) -> Iterator[Event]:
        """Decide what becomes of targets that answered for the first time."""
        opened, answers, position = packets.opened, packets.answers, packets.position
        if permit.pause_reason or self.stopping:
            opened.ungreeted += len(position)
            return
        withheld = permit.withheld.contains(answers.address)
        visits_first, deferred = self._arms.arms(answers.address) if self._arms else (withheld, np.zeros_like(withheld))
        deferred &= ~withheld
        handed_on = np.isin(answers.port, self._handed_on) & ~withheld & ~deferred
        greeted = ~withheld & ~handed_on & ~deferred
        opened.state[position] = SETTLED
        opened.counts.suppressed_visits += int(withheld.sum())
        self._segments.reset(answers.take(~greeted))
        at = now()
        rtt_us = opened.rtt_us(position, packets.taken)
        if greeted.any():
            self._greet(packets.take(greeted), rtt_us[greeted], at)
        if deferred.any():
            opened.counts.held_back += int(deferred.sum())
            yield Deferred(opened.range, answers.take(deferred), at.epoch_us, rtt_us[deferred], visits_first[deferred])
        if handed_on.any():
            yield Responses(opened.range, answers.take(handed_on), at.epoch_us, rtt_us[handed_on])

    def _greet(self, packets: LocatedPackets, rtt_us: NDArray[np.uint32], at: Clock) -> None:
        opened, answers, position = packets.opened, packets.answers, packets.position
        self._log(opened.range, answers.address, answers.port)
        slots = self._greeter.greet(SynAcks(answers, packets.serial, position, rtt_us, at))
        opened.state[position] = slots
        opened.conversations += len(slots)
        opened.counts.greetings += len(slots)

    # --- endings ---

    def _settle(self, results: Iterable[Result]) -> Iterator[Greeted]:
        """Keep that visits have ended, and report them."""
        for result in results:
            rows, at, position = result.rows, time.monotonic(), result.rows["position"].astype(np.int64)
            opened = self.open[serial := int(rows["serial"][0])]
            opened.state[position] = fin_wait_state(result.sent)
            opened.conversations -= len(position)
            if result.end.kind is CloseKind.DEADLINE:
                opened.late_deadlines += int((rows["began_us"] < self.lag.late_at * 1e6).sum())
            if result.sent:
                self._fin_wait.add(serial, position, rows, at)
                opened.closed_at = at + 2 * FIN_SECONDS
            yield Greeted(opened.range, result)

    def _reset_unfinished(self, at: float) -> None:
        """Reset the hosts that have not acknowledged our FIN in time."""
        for waiting in self._fin_wait.due(at):
            opened, position = self.open[waiting.serial], waiting.position
            unfinished = opened.state[position] <= FIN_WAIT
            opened.state[position[unfinished]] = RESET
            rows = waiting.rows[unfinished]
            self._segments.send_to(rows, packet.RST | packet.ACK, skip=rows["acked"])
