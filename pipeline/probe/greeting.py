"""The stateless greeting: a SYN-ACK is answered with the ACK and our whole request, and a silent host costs one row of a table.

Theory of operation
===================

Of the hosts that answer a SYN, most never send anything like DICOM. So they must be cheap: no object, no socket, no timer of their
own. Three rules make them so.

1. *Arrays, not hosts.* A greeted host is a row of the connection table (`connections`). Whatever happens to many hosts alike is
   done by whole arrays: greeting, acknowledging, closing, losing patience. All hosts have the same timeouts, so a timer is an entry
   in a queue that holds a whole batch.
2. *A conversation must be earned.* Only a reply that may be DICOM's gets a `Flow`: TCP in user space, with the sans-I/O
   conversation on top (`flow_table`). A reply that certainly is not DICOM's settles its host, all hosts with the same reply at once.
3. *One segment of a host at a time.* Rows are read and written by slot, and numpy writes only once to an index that occurs twice. So
   a batch of segments is taken in rounds: the first segment of each host, then the second of each, and so on. Within a host
   segments keep the order of their arrival, between hosts there is none.

The states of a connection, and what moves it:

    FREE ── greet ──→ GREETED ── RST, FIN, a foreign reply, or silence until the end of our patience ──→ OVER
                      GREETED ── a reply that may be DICOM's, or bytes out of order ──→ FLOWING ── the conversation ends ──→ OVER
    OVER ── PATIENCE_SECONDS after the greeting, or at the end of a flow that lasted longer ──→ FREE

A row stays in state OVER until the patience of its batch has passed, since the timers still name its slot. Timers, in seconds
after the greeting: at RESEND_SECONDS the request is sent a second time to hosts that have not acknowledged it, at PATIENCE_SECONDS
a host that took it gets A-ABORT and FIN, and one that did not gets a RST. A host that opens with a closed window gets an ACK
alone, and the request when the window opens.

When a host is settled, its result says how many bytes of ours its last acknowledgement must cover, with the FIN counted as one. The
listener waits for that (`fin_wait`); the greeter is done with it.

The kernel knows nothing of these connections and must not reset them: `rst_filter` sees to that.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.outcome import CloseKind, Outcome
from pipeline.probe.clock import Clock
from pipeline.probe.connections import FLOWING, GREETED, OVER, ConnectionTable, Slots, TimerQueue
from pipeline.probe.flow_table import FlowTable, MakeTalk
from pipeline.probe.result import Result, VisitEnd
from pipeline.probe.segments import SegmentSender
from pipeline.record.visit import BANNER_LIMIT
from pipeline.space.ranges import I64, U32
from pipeline.wire.guess import NON_DICOM_OUTCOMES, opening
from pipeline.wire.outgoing import Outgoing
from pipeline.wire.packet import ACK, FIN, PSH, RST, Answers

#: When the request is sent a second time if it was not acknowledged, and when we abort, in seconds after the greeting.
RESEND_SECONDS, PATIENCE_SECONDS = 1.0, 3.0
#: How many verdicts on whole replies are kept, so that a reply that many hosts give is judged once.
VERDICTS = 4096

WAS_RESET = VisitEnd(Outcome.RESET, CloseKind.PEER_RST)
WAS_CLOSED = VisitEnd(Outcome.CLOSED, CloseKind.PEER_FIN)
SILENT = VisitEnd(Outcome.SILENT, CloseKind.DEADLINE)
ZERO_WINDOW = VisitEnd(Outcome.ZERO_WINDOW, CloseKind.DEADLINE)
UNACKNOWLEDGED = VisitEnd(Outcome.UNACKNOWLEDGED, CloseKind.DEADLINE)


@dataclass(frozen=True, slots=True)
class SynAcks:
    """SYN-ACKs of targets at these positions of one open range, and their round trips in µs; arrays of shape (n,)."""

    answers: Answers
    serial: int
    position: I64
    rtt_us: NDArray[np.uint32]
    at: Clock
    """When they were read."""


@dataclass(frozen=True, slots=True)
class ReceivedSegments:
    """Segments of hosts in the connection table, in the order of their arrival; shape (n,)."""

    answers: Answers
    slots: Slots
    acked: U32
    """How many bytes of ours each acknowledges."""
    payloads: list[bytes]
    at: Clock
    """When they were read."""

    def take(self, which: I64) -> "ReceivedSegments":
        """The segments at these indices."""
        payloads = [self.payloads[index] for index in which.tolist()]
        return replace(
            self, answers=self.answers.take(which), slots=self.slots[which], acked=self.acked[which], payloads=payloads
        )


class Greeter:
    """Greets hosts and follows their connections until they are settled. Drive it with `receive` and `tick`."""

    def __init__(self, segments: SegmentSender, outgoing: Outgoing, make_talk: MakeTalk) -> None:
        self._segments, self._outgoing = segments, outgoing
        self.connections = ConnectionTable()
        self._flows = FlowTable(self.connections, segments, make_talk)
        self._resend, self._patience = TimerQueue(RESEND_SECONDS), TimerQueue(PATIENCE_SECONDS)
        self._verdicts: dict[bytes, Outcome | None] = {}

    @property
    def next_due(self) -> float:
        """When the next timer ends, in seconds of the clock."""
        return min(self._resend.next_due, self._patience.next_due, self._flows.next_due)

    def greet(self, syn_acks: SynAcks) -> Slots:
        """Answer SYN-ACKs with our request, those with a closed window with an ACK alone; their slots."""
        slots = self.admit(syn_acks)
        closed = syn_acks.answers.window == 0
        self._send(slots[~closed], ACK | PSH, self._outgoing.request)
        self._send(slots[closed], ACK)
        return slots

    def admit(self, syn_acks: SynAcks) -> Slots:
        """Make a row for each host, and start its timers; their slots."""
        answers, at = syn_acks.answers, syn_acks.at
        slots = self.connections.allocate(len(answers.address))
        rows = self.connections.rows
        for name, column in {
            "state": GREETED, "zero_window": answers.window == 0, "ttl": answers.ttl, "port": answers.port,
            "our_port": answers.our_port, "window": answers.window, "acked": 0, "address": answers.address,
            "rtt_us": syn_acks.rtt_us, "serial": syn_acks.serial, "position": syn_acks.position,
            "sequence": answers.our_sequence + np.uint32(1), "next": answers.sequence + np.uint32(1),
            "options": answers.options, "answered_at": at.epoch_us, "began_us": at.us, "timed_out": False,
        }.items():  # fmt: skip
            rows[name][slots] = column
        self._resend.add(slots, at.now)
        self._patience.add(slots, at.now)
        return slots

    def _send(self, slots: Slots, flags: int, payload: bytes = b"", *, skip: int = 0) -> None:
        """Send a segment to each host, `skip` bytes after our SYN."""
        if len(slots):
            self._segments.send_to(self.connections.rows[slots], flags, payload, skip=skip)

    # --- segments ---

    def receive(self, segments: ReceivedSegments) -> Iterator[Result]:
        """Take segments of hosts that have a row."""
        for which in _rounds(segments.slots):
            yield from self._receive_round(segments.take(which))
        self._flows.send()

    def _receive_round(self, segments: ReceivedSegments) -> Iterator[Result]:
        """Take at most one segment of each host."""
        state = self.connections.rows["state"][segments.slots]
        over = state == OVER
        if over.any():
            self._segments.reply_closed(segments.answers.take(over))
        yield from self._receive_flows(segments, np.flatnonzero(state == FLOWING))
        yield from self._receive_greeted(segments.take(np.flatnonzero(state == GREETED)))

    def _receive_flows(self, segments: ReceivedSegments, which: I64) -> Iterator[Result]:
        """Take the segments at these indices, whose hosts have flows."""
        answers = segments.answers
        columns = (which, segments.slots[which], answers.flags[which], answers.sequence[which], segments.acked[which])
        for index, slot, flags, sequence, acked in zip(*(column.tolist() for column in columns), strict=True):
            yield from self._flows.receive(slot, flags, sequence, acked, segments.payloads[index], segments.at)

    def _receive_greeted(self, segments: ReceivedSegments) -> Iterator[Result]:
        """Take segments of hosts that have sent no byte yet, at most one of each."""
        answers, slots, rows = segments.answers, segments.slots, self.connections.rows
        expected = answers.sequence == rows["next"][slots]
        reset = (answers.flags & RST) != 0
        yield from self._settle(slots[reset & expected], WAS_RESET)
        acks = ~reset & ((answers.flags & ACK) != 0)
        self._acknowledge(slots[acks], segments.acked[acks], answers.window[acks])
        silent = (answers.size == 0) & acks
        closed = silent & expected & ((answers.flags & FIN) != 0)
        rows["next"][slots[closed]] += np.uint32(1)
        yield from self._close(slots[closed], WAS_CLOSED)
        replies = acks & ~silent
        for (payload, verdict), which in self._foreign(np.flatnonzero(replies & expected), segments.payloads).items():
            alike = slots[which]
            rows["next"][alike] += np.uint32(len(payload)) + ((answers.flags[which] & FIN) != 0)
            yield from self._close(alike, VisitEnd(verdict, CloseKind.WE_CLOSED, banner=payload[:BANNER_LIMIT]))
            replies[which] = False
        earning = np.flatnonzero(replies)
        for slot, acked in zip(slots[earning].tolist(), segments.acked[earning].tolist(), strict=True):
            self._flows.begin(slot, acked)
        yield from self._receive_flows(segments, earning)

    def _acknowledge(self, slots: Slots, acked: U32, window: NDArray[np.uint16]) -> None:
        """Keep how much of ours hosts have acknowledged; hosts whose window opens get the request now."""
        rows = self.connections.rows
        rows["acked"][slots] = np.maximum(rows["acked"][slots], acked.astype(np.uint16))
        opened = slots[rows["zero_window"][slots] & (window > 0)]
        rows["zero_window"][opened] = False
        self._send(opened, ACK | PSH, self._outgoing.request)

    def _verdict(self, payload: bytes) -> Outcome | None:
        """The outcome of a first reply that is certainly not DICOM's; None if it may be."""
        if payload not in self._verdicts:
            if len(self._verdicts) >= VERDICTS:
                self._verdicts.clear()
            self._verdicts[payload] = NON_DICOM_OUTCOMES.get(opening(payload, self._outgoing.request))
        return self._verdicts[payload]

    def _foreign(self, which: I64, payloads: list[bytes]) -> dict[tuple[bytes, Outcome], list[int]]:
        """Of the first replies at these indices, those that are certainly not DICOM's: reply and outcome → indices."""
        alike: defaultdict[bytes, list[int]] = defaultdict(list)
        for index in which.tolist():
            alike[payloads[index]].append(index)
        judged = ((payload, self._verdict(payload)) for payload in alike)
        return {(payload, verdict): alike[payload] for payload, verdict in judged if verdict}

    # --- endings ---

    def _close(self, slots: Slots, end: VisitEnd) -> Iterator[Result]:
        """Send our FIN after what hosts have been sent: the request, or nothing yet if their window is closed."""
        closed = self.connections.rows["zero_window"][slots]
        for group, sent in ((slots[~closed], len(self._outgoing.request)), (slots[closed], 0)):
            self._send(group, ACK | FIN, skip=sent)
            yield from self._settle(group, end, sent=sent + 1)

    def _settle(self, slots: Slots, end: VisitEnd, *, sent: int = 0) -> Iterator[Result]:
        """Yield the results of hosts that have ended alike, one for each range."""
        if not len(slots):
            return
        rows = self.connections.rows[slots]
        self.connections.rows["state"][slots] = OVER
        for serial in sorted(set(rows["serial"].tolist())):
            yield Result(end, rows[rows["serial"] == serial], sent)

    def tick(self, at: Clock) -> Iterator[Result]:
        """Send requests again, give up on silent hosts, and run the flows' timers."""
        rows, request = self.connections.rows, self._outgoing.request
        for slots in self._resend.due(at.now):
            unacknowledged = (rows["state"][slots] == GREETED) & (rows["acked"][slots] < len(request))
            self._send(slots[unacknowledged & ~rows["zero_window"][slots]], ACK | PSH, request)
        for slots in self._patience.due(at.now):
            yield from self._give_up(slots[rows["state"][slots] == GREETED])
            self._retire(slots)
        yield from self._flows.tick(at)
        self._flows.send()

    def _give_up(self, slots: Slots) -> Iterator[Result]:
        """Abort with hosts that took our request, reset the rest."""
        rows = self.connections.rows[slots]
        size = len(self._outgoing.request)
        took, closed = rows["acked"] >= size, rows["zero_window"]
        self._send(slots[took], ACK | FIN | PSH, self._outgoing.abort, skip=size)
        self._send(slots[~took], RST | ACK)
        yield from self._settle(slots[took], SILENT, sent=size + len(self._outgoing.abort) + 1)
        yield from self._settle(slots[~took & closed], ZERO_WINDOW)
        yield from self._settle(slots[~took & ~closed], UNACKNOWLEDGED)

    def abandon(self) -> None:
        """Forget all connections without a word to anybody; their visits have no result."""
        rows = self.connections.rows
        open_ = np.flatnonzero((rows["state"] == GREETED) | (rows["state"] == FLOWING))
        rows["state"][open_] = OVER
        self._flows.clear()
        self.connections.release(open_[rows["timed_out"][open_]])

    def _retire(self, slots: Slots) -> None:
        """Free the rows of hosts that are settled; a row that a flow has is freed when the flow ends."""
        rows = self.connections.rows
        flowing = rows["state"][slots] == FLOWING
        rows["timed_out"][slots[flowing]] = True
        self.connections.release(slots[~flowing])


def _rounds(slots: Slots) -> Iterator[I64]:
    """Yield the indices of segments in rounds: the first segment of each host, then the second of each, and so on."""
    order = np.argsort(slots, kind="stable")
    begins = np.flatnonzero(np.diff(slots[order], prepend=-1))
    turn = np.empty(len(slots), dtype=np.int64)
    turn[order] = np.arange(len(slots)) - np.repeat(begins, np.diff(begins, append=len(slots)))
    yield from (np.flatnonzero(turn == number) for number in range(int(turn.max(initial=-1)) + 1))
