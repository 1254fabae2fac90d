"""The flows of hosts that a conversation is held with, and their timers. Segments that are alike are sent together."""

import heapq
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from pipeline.probe.clock import Clock
from pipeline.probe.connections import FLOWING, OVER, ConnectionTable
from pipeline.probe.flow import Flow, OutgoingSegment, Talk
from pipeline.probe.result import Result
from pipeline.probe.segments import SegmentSender
from pipeline.wire.segment import Endpoints

#: Makes the conversation with (address, port, begun at µs since the epoch).
MakeTalk = Callable[[int, int, int], Talk]


class FlowTable:
    """The flows by the slots of their hosts. Their segments wait until `send`."""

    def __init__(self, connections: ConnectionTable, segments: SegmentSender, make_talk: MakeTalk) -> None:
        self._connections, self._segments, self._make_talk = connections, segments, make_talk
        self._flows: dict[int, Flow] = {}
        self._timers: list[tuple[int, int]] = []
        self._queue: dict[tuple[int, bytes], dict[int, OutgoingSegment]] = {}

    @property
    def next_due(self) -> float:
        """When a timer ends, in seconds of the clock; infinite if none runs."""
        return self._timers[0][0] / 1e6 if self._timers else float("inf")

    def begin(self, slot: int, acked: int) -> None:
        """Begin a conversation, `acked` bytes of whose request have been acknowledged; its clock began with the greeting."""
        row = self._connections.rows[slot]
        talk = self._make_talk(int(row["address"]), int(row["port"]), int(row["answered_at"]))
        request, began = talk.connected(0), int(row["began_us"])
        flow = Flow(talk, began, int(row["sequence"]), int(row["next"]), min(acked, len(request)), len(request))
        if flow.acked < len(request):
            flow.unacknowledged.append((0, request, began))
        self._flows[slot] = flow
        self._connections.rows["state"][slot] = FLOWING

    def receive(self, slot: int, flags: int, sequence: int, acked: int, payload: bytes, at: Clock) -> Iterator[Result]:
        """Take a segment of a host that has a flow; `acked` is how many bytes of ours it acknowledges."""
        flow = self._flows[slot]
        yield from self._after(slot, flow, flow.segment(flags, sequence, acked, payload, at.us))

    def tick(self, at: Clock) -> Iterator[Result]:
        """Run the timers that are due."""
        while self._timers and self._timers[0][0] <= at.us:
            _, slot = heapq.heappop(self._timers)
            flow = self._flows.get(slot)
            if flow is not None and flow.due_us <= at.us:
                yield from self._after(slot, flow, flow.timer(at.us))
            elif flow is not None:
                heapq.heappush(self._timers, (flow.due_us, slot))

    def send(self) -> None:
        """Send the segments of all flows; those of one flow in their order."""
        queue, self._queue = self._queue, {}
        for (flags, payload), outs in queue.items():
            rows = self._connections.rows[list(outs)]
            pairs = ((out.sequence, out.acknowledgement) for out in outs.values())
            sequence, expected = np.array(list(pairs), dtype=np.uint32).T
            ends = rows["address"], rows["port"], rows["our_port"]
            self._segments.send(flags, payload, Endpoints(*ends, sequence, expected))

    def clear(self) -> None:
        """Forget all flows and what they would send."""
        self._flows.clear()
        self._timers.clear()
        self._queue.clear()

    def _enqueue(self, slot: int, out: OutgoingSegment) -> None:
        """Keep a segment until `send`; an earlier one of the same host goes first."""
        if any(slot in outs for outs in self._queue.values()):
            self.send()
        self._queue.setdefault((out.flags, out.payload), {})[slot] = out

    def _after(self, slot: int, flow: Flow, outs: Iterable[OutgoingSegment]) -> Iterator[Result]:
        """Queue a flow's segments; yield its result if it is over, else start its timer."""
        for out in outs:
            self._enqueue(slot, out)
        if not flow.over:
            heapq.heappush(self._timers, (flow.due_us, slot))
            return
        rows = self._connections.rows
        rows["acked"][slot], rows["next"][slot] = flow.acked, flow.next
        row = rows[slot : slot + 1].copy()
        del self._flows[slot]
        rows["state"][slot] = OVER
        if row["timed_out"][0]:
            self._connections.release(np.array([slot]))
        visit = flow.talk.visit(bytes_sent=flow.sent, syn_retransmits=0, error=None, rtt_us=int(row["rtt_us"][0]))
        yield Result.of_flow(row, visit, flow.sent + 1 if flow.closed else 0)
