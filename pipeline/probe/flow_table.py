"""The hosts that are talked with: a `Flow` each, their timers, and what they say, sent together where it is the same."""

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from pipeline.probe.clock import Clock
from pipeline.probe.connections import FLOWING, OVER, Connections
from pipeline.probe.flow import Flow, OutgoingSegment, Talk
from pipeline.probe.segments import SegmentSender
from pipeline.record import Visit
from pipeline.wire.segment import Endpoints

#: Makes the conversation with (address, port, begun at µs since the epoch).
MakeTalk = Callable[[int, int, int], Talk]


class Talked(NamedTuple):
    """A host that was talked with, what came of it, and its row."""

    range: int
    row: np.void
    visit: Visit
    sent: int
    """As in `Settled`."""

    @property
    def syn(self) -> dict[str, int | None]:
        """What its SYN-ACK told, as columns."""
        row = self.row
        return {
            "answered_at": int(row["answered_at"]),
            "ttl": int(row["ttl"]),
            "window": int(row["window"]),
            "syn_ttl": int(row["ttl"]),
            "syn_window": int(row["window"]),
            "syn_rtt_us": int(row["rtt_us"]),
            "syn_options_hash": int(row["options"]),
        }


class Flows:
    """The flows of hosts by their slots. What they say waits until `send`."""

    def __init__(self, hosts: Connections, speaker: SegmentSender, make_talk: MakeTalk) -> None:
        self._hosts, self._speaker, self._make_talk = hosts, speaker, make_talk
        self._flows: dict[int, Flow] = {}
        self._timers: list[tuple[int, int]] = []
        self._said: dict[tuple[int, bytes], dict[int, OutgoingSegment]] = {}

    @property
    def next_due(self) -> float:
        """When a timer ends, in seconds of the clock; infinite if none runs."""
        return self._timers[0][0] / 1e6 if self._timers else float("inf")

    def begin(self, slot: int, acked: int) -> None:
        """A conversation from here on, of whose request `acked` bytes have been acknowledged; it began when we greeted."""
        row = self._hosts.rows[slot]
        talk = self._make_talk(int(row["address"]), int(row["port"]), int(row["answered_at"]))
        request, began = talk.connected(0), int(row["began_us"])
        flow = Flow(talk, began, int(row["sequence"]), int(row["next"]), min(acked, len(request)), len(request))
        if flow.acked < len(request):
            flow.unacknowledged.append((0, request, began))
        self._flows[slot] = flow
        self._hosts.rows["state"][slot] = FLOWING

    def hear(self, slot: int, flags: int, sequence: int, acked: int, payload: bytes, at: Clock) -> Iterator[Talked]:
        """Take a segment of a host that has a flow; `acked` is how many bytes of ours it acknowledges."""
        flow = self._flows[slot]
        yield from self._after(slot, flow, flow.segment(flags, sequence, acked, payload, at.us))

    def tick(self, at: Clock) -> Iterator[Talked]:
        """Let the timers run that are due."""
        while self._timers and self._timers[0][0] <= at.us:
            _, slot = heapq.heappop(self._timers)
            flow = self._flows.get(slot)
            if flow is not None and flow.due_us <= at.us:
                yield from self._after(slot, flow, flow.timer(at.us))
            elif flow is not None:
                heapq.heappush(self._timers, (flow.due_us, slot))

    def send(self) -> None:
        """Send what flows have said, in the order in which each said it."""
        said, self._said = self._said, {}
        for (flags, payload), outs in said.items():
            rows = self._hosts.rows[list(outs)]
            places = ((out.sequence, out.acknowledgement) for out in outs.values())
            sequence, expected = np.array(list(places), dtype=np.uint32).T
            ends = rows["address"], rows["port"], rows["our_port"]
            self._speaker.send(flags, payload, Endpoints(*ends, sequence, expected))

    def _say(self, slot: int, out: OutgoingSegment) -> None:
        """Keep a segment to be sent; what the same host said before goes first."""
        if any(slot in outs for outs in self._said.values()):
            self.send()
        self._said.setdefault((out.flags, out.payload), {})[slot] = out

    def _after(self, slot: int, flow: Flow, outs: Iterable[OutgoingSegment]) -> Iterator[Talked]:
        """Say what a flow says; settle it if it is over, else wait for its timer."""
        for out in outs:
            self._say(slot, out)
        if not flow.over:
            heapq.heappush(self._timers, (flow.due_us, slot))
            return
        self._hosts.rows["acked"][slot], self._hosts.rows["next"][slot] = flow.acked, flow.next
        row = self._hosts.rows[slot].copy()
        del self._flows[slot]
        self._hosts.rows["state"][slot] = OVER
        if row["aged"]:
            self._hosts.give_back(np.array([slot]))
        visit = flow.talk.visit(bytes_sent=flow.sent, syn_retransmits=0, error=None, rtt_us=int(row["rtt_us"]))
        yield Talked(int(row["range"]), row, visit, flow.sent + 1 if flow.closed else 0)
