"""The stateless greeting (DESIGN §6): a SYN-ACK is answered with the ACK and our whole request; silence costs a row in a wheel.

Hosts that stay silent, close, reset or answer something else are settled by whole arrays; only a reply that may be DICOM's gets
a `Flow`. The kernel knows of none of these connections, so it must not answer either (`shield`).
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.outcome import CloseKind, CloseStage, Outcome
from pipeline.probe.flow import Flow, Out, Talk
from pipeline.probe.hosts import FLOWING, GREETED, OVER, Hosts, Slots, Wheel
from pipeline.record import BANNER_LIMIT, Visit
from pipeline.ring import SegmentRing
from pipeline.wire.guess import Opening, opening
from pipeline.wire.outgoing import Outgoing
from pipeline.wire.packet import ACK, FIN, PSH, RST, SYN, Answers, Link
from pipeline.wire.segment import Kind, Places

#: The request is sent a second time if nobody acknowledged it; at the end of our patience we abort.
RESEND_SECONDS, PATIENCE_SECONDS = 1.0, 3.0
#: How many verdicts on whole replies are kept, so that a reply that many hosts give is judged once.
VERDICTS = 4096
NOT_DICOM = {Opening.REFLECTED: Outcome.REFLECTED, Opening.TLS: Outcome.TLS, Opening.OTHER: Outcome.NOT_DICOM}


class Settled(NamedTuple):
    """Hosts of one range that said nothing of DICOM's, and how it ended; the arrays have one entry a host."""

    range: int
    rows: NDArray[np.void]
    outcome: Outcome
    kind: CloseKind
    stage: CloseStage
    banner: bytes


class Talked(NamedTuple):
    """A host that was talked with, what came of it, and its row."""

    range: int
    row: np.void
    visit: Visit


@dataclass(slots=True)
class Clock:
    """One moment: seconds of a monotonic clock, and microseconds since the epoch."""

    now: float
    epoch_us: int

    @property
    def us(self) -> int:
        """Microseconds of the monotonic clock."""
        return int(self.now * 1e6)


class Greeter:
    """Greets hosts and hears them out. `make_talk` makes the conversation with (address, port, begun at µs since the epoch)."""

    def __init__(
        self, ring: SegmentRing, link: Link, outgoing: Outgoing, make_talk: Callable[[int, int, int], Talk]
    ) -> None:
        self._ring, self._outgoing, self._make_talk = ring, outgoing, make_talk
        self._link = link
        self._kinds: dict[tuple[int, bytes], Kind] = {}
        self.hosts = Hosts()
        self._resend, self._patience = Wheel(RESEND_SECONDS), Wheel(PATIENCE_SECONDS)
        self._flows: dict[int, Flow] = {}
        self._timers: list[tuple[int, int]] = []
        self._verdicts: dict[bytes, Outcome | None] = {}

    @property
    def next_due(self) -> float:
        """When somebody's time is over, in seconds of the clock."""
        flows = self._timers[0][0] / 1e6 if self._timers else float("inf")
        return min(self._resend.next_due, self._patience.next_due, flows)

    # --- what is said ---

    def greet(
        self, answers: Answers, position: NDArray[np.int64], number: int, rtt: NDArray[np.uint32], at: Clock
    ) -> Slots:
        """Answer SYN-ACKs of range `number` with our request, those with a closed window with an ACK alone; their slots."""
        slots = self.hosts.take(len(answers.address))
        rows = self.hosts.rows
        shut = answers.window == 0
        for name, column in {
            "state": GREETED, "shut": shut, "ttl": answers.ttl, "port": answers.port, "our_port": answers.our_port,
            "window": answers.window, "acked": 0, "address": answers.address, "rtt_us": rtt, "range": number,
            "sequence": answers.our_sequence + np.uint32(1), "next": answers.sequence + np.uint32(1),
            "position": position, "options": answers.options, "answered_at": at.epoch_us, "began_us": at.us, "aged": False,
        }.items():  # fmt: skip
            rows[name][slots] = column
        self._say(slots[~shut], ACK | PSH, self._outgoing.request)
        self._say(slots[shut], ACK)
        self._resend.add(slots, at.now)
        self._patience.add(slots, at.now)
        return slots

    def refuse(self, answers: Answers) -> None:
        """Reset half-open connections that get no greeting."""
        self._reply(answers, RST | ACK)

    def late(self, answers: Answers) -> None:
        """After we have closed: reset who still sends bytes, acknowledge a FIN; an acknowledgement needs no answer."""
        alive = (answers.flags & RST) == 0
        self._reply(answers.take(alive & (answers.size > 0)), RST | ACK)
        self._reply(answers.take(alive & (answers.size == 0) & ((answers.flags & FIN) != 0)), ACK)

    def _reply(self, answers: Answers, flags: int) -> None:
        """Answer segments from what they say themselves."""
        if len(answers.address):
            counted = answers.size + ((answers.flags & (SYN | FIN)) != 0)
            expected = answers.sequence + counted.astype(np.uint32)
            ours = answers.our_sequence + np.uint32(1)
            self._ring.send(self._kind(flags), Places(answers.address, answers.port, answers.our_port, ours, expected))

    def _say(self, slots: Slots, flags: int, payload: bytes = b"", *, skip: int = 0) -> None:
        """Send a segment to each host, `skip` bytes after our SYN."""
        if len(slots):
            rows = self.hosts.rows[slots]
            sequence = rows["sequence"] + np.uint32(skip)
            places = Places(rows["address"], rows["port"], rows["our_port"], sequence, rows["next"])
            self._ring.send(self._kind(flags, payload), places)

    def _kind(self, flags: int, payload: bytes = b"") -> Kind:
        """The kind of these segments; the only place where bytes become ours to send."""
        key = (flags, payload)
        if key not in self._kinds:
            self._kinds[key] = Kind.of(self._link, flags, self._outgoing.cleared(payload) if payload else b"")
        return self._kinds[key]

    # --- what is heard ---

    def hear(
        self, answers: Answers, slots: Slots, acked: NDArray[np.uint32], payloads: list[bytes], at: Clock
    ) -> Iterator[Settled | Talked]:
        """Take segments of hosts in use; `acked` is how many bytes of ours each acknowledges."""
        _, place, times = np.unique(slots, return_inverse=True, return_counts=True)
        alone = times[place] == 1
        plain = alone & (self.hosts.rows["state"][slots] == GREETED)
        chosen = np.flatnonzero(plain)
        yield from self._hear_plain(
            answers.take(chosen), slots[chosen], acked[chosen], [payloads[n] for n in chosen], at
        )
        for number in np.flatnonzero(~plain):
            yield from self._hear_one(
                answers.take(np.array([number])), int(slots[number]), int(acked[number]), payloads[number], at
            )

    def _hear_plain(
        self, answers: Answers, slots: Slots, acked: NDArray[np.uint32], payloads: list[bytes], at: Clock
    ) -> Iterator[Settled | Talked]:
        """Segments of hosts that have said nothing yet, one of each."""
        rows = self.hosts.rows
        expected = answers.sequence == rows["next"][slots]
        reset = (answers.flags & RST) != 0
        yield from self._settle(slots[reset & expected], Outcome.RESET, CloseKind.PEER_RST)
        heard = ~reset & ((answers.flags & ACK) != 0)
        self._acknowledged(slots[heard], acked[heard], answers.window[heard])
        silent = (answers.size == 0) & heard
        closed = silent & expected & ((answers.flags & FIN) != 0)
        rows["next"][slots[closed]] += np.uint32(1)
        self._say(slots[closed], ACK | FIN, skip=len(self._outgoing.request))
        yield from self._settle(slots[closed], Outcome.CLOSED, CloseKind.PEER_FIN)
        speaks = heard & ~silent
        foreign = speaks & expected
        verdicts = {n: self._verdict(payloads[n]) for n in np.flatnonzero(foreign).tolist()}
        yield from self._settle_foreign(
            slots, payloads, {n: each for n, each in verdicts.items() if each}, (answers.flags & FIN) != 0
        )
        for number in np.flatnonzero(speaks).tolist():
            if not verdicts.get(number):
                yield from self._hear_one(
                    answers.take(np.array([number])), int(slots[number]), int(acked[number]), payloads[number], at
                )

    def _acknowledged(self, slots: Slots, acked: NDArray[np.uint32], window: NDArray[np.uint16]) -> None:
        """Note what hosts have of ours; whose window opens gets the request now."""
        rows = self.hosts.rows
        rows["acked"][slots] = np.maximum(rows["acked"][slots], acked.astype(np.uint16))
        opened = slots[rows["shut"][slots] & (window > 0)]
        rows["shut"][opened] = False
        self._say(opened, ACK | PSH, self._outgoing.request)

    def _verdict(self, payload: bytes) -> Outcome | None:
        """What a first reply means that is certainly not DICOM's; None if it may be."""
        if payload not in self._verdicts:
            if len(self._verdicts) >= VERDICTS:
                self._verdicts.clear()
            self._verdicts[payload] = NOT_DICOM.get(opening(payload, self._outgoing.request))
        return self._verdicts[payload]

    def _settle_foreign(
        self, slots: Slots, payloads: list[bytes], verdicts: dict[int, Outcome], fin: NDArray[np.bool_]
    ) -> Iterator[Settled]:
        """Close with hosts that speak something else, reply by reply; some have closed with it."""
        alike: dict[bytes, list[int]] = {}
        for number in verdicts:
            alike.setdefault(payloads[number], []).append(number)
        for payload, numbers in alike.items():
            same = slots[np.array(numbers)]
            self.hosts.rows["next"][same] += np.uint32(len(payload)) + fin[np.array(numbers)]
            self._say(same, ACK | FIN, skip=len(self._outgoing.request))
            yield from self._settle(same, verdicts[numbers[0]], CloseKind.WE_CLOSED, payload[:BANNER_LIMIT])

    def _settle(
        self,
        slots: Slots,
        outcome: Outcome,
        kind: CloseKind,
        banner: bytes = b"",
        stage: CloseStage = CloseStage.ASSOCIATE,
    ) -> Iterator[Settled]:
        """End with hosts, range by range."""
        rows = self.hosts.rows[slots]
        self.hosts.rows["state"][slots] = OVER
        for number in np.unique(rows["range"]).tolist():
            yield Settled(number, rows[rows["range"] == number], outcome, kind, stage, banner)

    # --- flows ---

    def _hear_one(
        self, answer: Answers, slot: int, acked: int, payload: bytes, at: Clock
    ) -> Iterator[Settled | Talked]:
        """One segment of a host that has a flow, or that gets one now."""
        state = self.hosts.rows["state"][slot]
        if state == OVER:
            self.late(answer)
            return
        flags, sequence = int(answer.flags[0]), int(answer.sequence[0])
        if state == GREETED:
            if not payload:
                yield from self._hear_plain(answer, np.array([slot]), np.array([acked], np.uint32), [payload], at)
                return
            self._begin_flow(slot, acked)
        flow = self._flows[slot]
        yield from self._after(slot, flow, list(flow.segment(flags, sequence, acked, payload, at.us)), at)

    def _begin_flow(self, slot: int, acked: int) -> None:
        """A conversation from here on; it began when we greeted."""
        row = self.hosts.rows[slot]
        talk = self._make_talk(int(row["address"]), int(row["port"]), int(row["answered_at"]))
        request, began = talk.connected(0), int(row["began_us"])
        flow = Flow(talk, began, int(row["sequence"]), int(row["next"]), min(acked, len(request)), len(request))
        if flow.acked < len(request):
            flow.unacknowledged.append((0, request, began))
        self._flows[slot] = flow
        self.hosts.rows["state"][slot] = FLOWING

    def _after(self, slot: int, flow: Flow, outs: list[Out], at: Clock) -> Iterator[Talked]:
        """Send what a flow says; settle it if it is over, else wait for its timer."""
        for out in outs:
            self._send(slot, out)
        if not flow.over:
            heapq.heappush(self._timers, (flow.due_us, slot))
            return
        row = self.hosts.rows[slot]
        del self._flows[slot]
        self.hosts.rows["state"][slot] = OVER
        if row["aged"]:
            self.hosts.give_back(np.array([slot]))
        visit = flow.talk.visit(bytes_sent=flow.sent, syn_retransmits=0, error=None, rtt_us=int(row["rtt_us"]))
        yield Talked(int(row["range"]), row.copy(), visit)

    def _send(self, slot: int, out: Out) -> None:
        row = self.hosts.rows[[slot]]
        u4 = np.array([[out.sequence], [out.acknowledgement]], dtype=np.uint32)
        places = Places(row["address"], row["port"], row["our_port"], u4[0], u4[1])
        self._ring.send(self._kind(out.flags, out.payload), places)

    # --- time ---

    def tick(self, at: Clock) -> Iterator[Settled | Talked]:
        """Send again, lose patience, and let the flows' timers run."""
        rows = self.hosts.rows
        request = self._outgoing.request
        for slots in self._resend.due(at.now):
            waiting = slots[
                (rows["state"][slots] == GREETED) & (rows["acked"][slots] < len(request)) & ~rows["shut"][slots]
            ]
            self._say(waiting, ACK | PSH, request)
        for slots in self._patience.due(at.now):
            yield from self._lose_patience(slots[rows["state"][slots] == GREETED])
            self._retire(slots)
        while self._timers and self._timers[0][0] <= at.us:
            _, slot = heapq.heappop(self._timers)
            flow = self._flows.get(slot)
            if flow is not None and flow.due_us <= at.us:
                yield from self._after(slot, flow, list(flow.timer(at.us)), at)
            elif flow is not None:
                heapq.heappush(self._timers, (flow.due_us, slot))

    def _retire(self, slots: Slots) -> None:
        """Give back whose conversation is over; who still talks is given back at its end."""
        rows = self.hosts.rows
        talks = rows["state"][slots] == FLOWING
        rows["aged"][slots[talks]] = True
        self.hosts.give_back(slots[~talks])

    def _lose_patience(self, slots: Slots) -> Iterator[Settled]:
        """Abort with those that took our request, reset the others."""
        rows = self.hosts.rows[slots]
        size = len(self._outgoing.request)
        took = rows["acked"] >= size
        self._say(slots[took], ACK | FIN | PSH, self._outgoing.abort, skip=size)
        self._say(slots[~took], RST | ACK)
        yield from self._settle(slots[took], Outcome.SILENT, CloseKind.DEADLINE)
        yield from self._settle(slots[~took & rows["shut"]], Outcome.ZERO_WINDOW, CloseKind.DEADLINE)
        yield from self._settle(slots[~took & ~rows["shut"]], Outcome.UNACKNOWLEDGED, CloseKind.DEADLINE)
