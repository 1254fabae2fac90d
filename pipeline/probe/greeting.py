"""The stateless greeting (decision 1): a SYN-ACK is answered with the ACK and our whole request; silence costs a row in a wheel.

Hosts that stay silent, close, reset or answer something else are settled by whole arrays; only a reply that may be DICOM's gets
a `Flow`. The kernel knows of none of these connections, so it must not answer either (`shield`).
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.outcome import CloseKind, CloseStage, Outcome
from pipeline.probe.clock import Clock
from pipeline.probe.connections import FLOWING, GREETED, OVER, Connections, Slots, TimerQueue
from pipeline.probe.flow_table import Flows, MakeTalk, Talked
from pipeline.probe.segments import SegmentSender
from pipeline.record import BANNER_LIMIT
from pipeline.wire.guess import NON_DICOM_OUTCOMES, opening
from pipeline.wire.outgoing import Outgoing
from pipeline.wire.packet import ACK, FIN, PSH, RST, Answers

#: The request is sent a second time if nobody acknowledged it; at the end of our patience we abort.
RESEND_SECONDS, PATIENCE_SECONDS = 1.0, 3.0
#: How many verdicts on whole replies are kept, so that a reply that many hosts give is judged once.
VERDICTS = 4096


class Settled(NamedTuple):
    """Hosts of one range that said nothing of DICOM's, and how it ended; the arrays have one entry a host."""

    range: int
    rows: NDArray[np.void]
    outcome: Outcome
    kind: CloseKind
    stage: CloseStage
    banner: bytes
    sent: int
    """Bytes of ours that a peer has acknowledged when it has all, our FIN counted as one; 0 where one side has reset."""


class Greeter:
    """Greets hosts and hears them out."""

    def __init__(self, speaker: SegmentSender, outgoing: Outgoing, make_talk: MakeTalk) -> None:
        self._speaker, self._outgoing = speaker, outgoing
        self.hosts = Connections()
        self._flows = Flows(self.hosts, speaker, make_talk)
        self._resend, self._patience = TimerQueue(RESEND_SECONDS), TimerQueue(PATIENCE_SECONDS)
        self._verdicts: dict[bytes, Outcome | None] = {}

    @property
    def next_due(self) -> float:
        """When somebody's time is over, in seconds of the clock."""
        return min(self._resend.next_due, self._patience.next_due, self._flows.next_due)

    def greet(
        self, answers: Answers, position: NDArray[np.int64], number: int, rtt: NDArray[np.uint32], at: Clock
    ) -> Slots:
        """Answer SYN-ACKs of range `number` with our request, those with a closed window with an ACK alone; their slots."""
        slots = self.admit(answers, position, number, rtt, at)
        shut = answers.window == 0
        self._say(slots[~shut], ACK | PSH, self._outgoing.request)
        self._say(slots[shut], ACK)
        return slots

    def admit(
        self, answers: Answers, position: NDArray[np.int64], number: int, rtt: NDArray[np.uint32], at: Clock
    ) -> Slots:
        """Keep a row of each host, and wait for it; their slots."""
        slots = self.hosts.take(len(answers.address))
        rows = self.hosts.rows
        for name, column in {
            "state": GREETED, "shut": answers.window == 0, "ttl": answers.ttl, "port": answers.port, "our_port": answers.our_port,
            "window": answers.window, "acked": 0, "address": answers.address, "rtt_us": rtt, "range": number,
            "sequence": answers.our_sequence + np.uint32(1), "next": answers.sequence + np.uint32(1),
            "position": position, "options": answers.options, "answered_at": at.epoch_us, "began_us": at.us, "aged": False,
        }.items():  # fmt: skip
            rows[name][slots] = column
        self._resend.add(slots, at.now)
        self._patience.add(slots, at.now)
        return slots

    def _say(self, slots: Slots, flags: int, payload: bytes = b"", *, skip: int = 0) -> None:
        """Send a segment to each host, `skip` bytes after our SYN."""
        if len(slots):
            self._speaker.say(self.hosts.rows[slots], flags, payload, skip=skip)

    def hear(
        self, answers: Answers, slots: Slots, acked: NDArray[np.uint32], payloads: list[bytes], at: Clock
    ) -> Iterator[Settled | Talked]:
        """Take segments of hosts in use, in the order of their arrival; `acked` is how many bytes of ours each acknowledges."""
        for chosen in _rounds(slots):
            told = [payloads[number] for number in chosen.tolist()]
            yield from self._hear_round(answers.take(chosen), slots[chosen], acked[chosen], told, at)
        self._flows.send()

    def _hear_round(
        self, answers: Answers, slots: Slots, acked: NDArray[np.uint32], payloads: list[bytes], at: Clock
    ) -> Iterator[Settled | Talked]:
        """One segment of each host."""
        state = self.hosts.rows["state"][slots]
        over = state == OVER
        if over.any():
            self._speaker.late(answers.take(over))
        talking = np.flatnonzero(state == FLOWING)
        yield from self._hear_flows(talking, answers, slots, acked, payloads, at)
        silent = np.flatnonzero(state == GREETED)
        told = [payloads[number] for number in silent.tolist()]
        yield from self._hear_plain(answers.take(silent), slots[silent], acked[silent], told, at)

    def _hear_flows(
        self, chosen: Slots, answers: Answers, slots: Slots, acked: NDArray[np.uint32], payloads: list[bytes], at: Clock
    ) -> Iterator[Talked]:
        """The segments at these places, of hosts that have flows."""
        columns = (chosen, slots[chosen], answers.flags[chosen], answers.sequence[chosen], acked[chosen])
        for number, slot, flags, sequence, its_acked in zip(*(each.tolist() for each in columns), strict=True):
            yield from self._flows.hear(slot, flags, sequence, its_acked, payloads[number], at)

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
        yield from self._close(slots[closed], Outcome.CLOSED, CloseKind.PEER_FIN)
        speaks = heard & ~silent
        for (payload, verdict), places in self._foreign(np.flatnonzero(speaks & expected), payloads).items():
            same = slots[places]
            rows["next"][same] += np.uint32(len(payload)) + ((answers.flags[places] & FIN) != 0)
            yield from self._close(same, verdict, CloseKind.WE_CLOSED, payload[:BANNER_LIMIT])
            speaks[places] = False
        earning = np.flatnonzero(speaks)
        for slot, its_acked in zip(slots[earning].tolist(), acked[earning].tolist(), strict=True):
            self._flows.begin(slot, its_acked)
        yield from self._hear_flows(earning, answers, slots, acked, payloads, at)

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
            self._verdicts[payload] = NON_DICOM_OUTCOMES.get(opening(payload, self._outgoing.request))
        return self._verdicts[payload]

    def _foreign(self, places: Slots, payloads: list[bytes]) -> dict[tuple[bytes, Outcome], list[int]]:
        """First replies that are certainly not DICOM's and what each means, with their places among these."""
        alike: defaultdict[bytes, list[int]] = defaultdict(list)
        for place in places.tolist():
            alike[payloads[place]].append(place)
        judged = ((payload, self._verdict(payload)) for payload in alike)
        return {(payload, verdict): alike[payload] for payload, verdict in judged if verdict}

    def _close(self, slots: Slots, outcome: Outcome, kind: CloseKind, banner: bytes = b"") -> Iterator[Settled]:
        """Close with hosts after what we have sent them: the request, or nothing yet where the window is shut."""
        shut = self.hosts.rows["shut"][slots]
        for some, said in ((slots[~shut], len(self._outgoing.request)), (slots[shut], 0)):
            self._say(some, ACK | FIN, skip=said)
            yield from self._settle(some, outcome, kind, banner, sent=said + 1)

    def _settle(
        self, slots: Slots, outcome: Outcome, kind: CloseKind, banner: bytes = b"", *, sent: int = 0
    ) -> Iterator[Settled]:
        """End with hosts, range by range."""
        if not len(slots):
            return
        rows = self.hosts.rows[slots]
        self.hosts.rows["state"][slots] = OVER
        for number in sorted(set(rows["range"].tolist())):
            yield Settled(number, rows[rows["range"] == number], outcome, kind, CloseStage.ASSOCIATE, banner, sent)

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
        yield from self._flows.tick(at)
        self._flows.send()

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
        sent = size + len(self._outgoing.abort) + 1
        yield from self._settle(slots[took], Outcome.SILENT, CloseKind.DEADLINE, sent=sent)
        yield from self._settle(slots[~took & rows["shut"]], Outcome.ZERO_WINDOW, CloseKind.DEADLINE)
        yield from self._settle(slots[~took & ~rows["shut"]], Outcome.UNACKNOWLEDGED, CloseKind.DEADLINE)


def _rounds(slots: Slots) -> Iterator[Slots]:
    """Places of segments, so that no host has two in one round, and each its first in the first, its second in the next."""
    order = np.argsort(slots, kind="stable")
    begins = np.flatnonzero(np.diff(slots[order], prepend=-1))
    turn = np.empty(len(slots), dtype=np.int64)
    turn[order] = np.arange(len(slots)) - np.repeat(begins, np.diff(begins, append=len(slots)))
    yield from (np.flatnonzero(turn == number) for number in range(int(turn.max(initial=-1)) + 1))
