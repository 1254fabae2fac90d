"""The sending side of simulated hosts: when each segment is sent, retransmissions, and frames. Sans I/O.

A persistent host sends what is not acknowledged again after 1, 3 and 7 s (RFC 6298 §2 and §5.5: 1 s, doubled each time).
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.space.ranges import U32
from pipeline.testbed.internet.connections import SimulatedConnections, Slots
from pipeline.testbed.internet.peers import BEHAVIOURS, NAMES
from pipeline.wire.packet import OPTIONS, SYN, WINDOW, Link
from pipeline.wire.segment import Endpoints, Kind

RETRANSMIT_AFTER = (1.0, 2.0, 4.0)
#: The number of tries after which nothing is sent again.
LAST_TRY = len(RETRANSMIT_AFTER)
WINDOWS = np.array([BEHAVIOURS[name].window for name in NAMES])


class ReplySegment(NamedTuple):
    """A segment that connections send: its offset in their streams, and the offset up to which it needs an acknowledgement."""

    flags: int
    payload: bytes
    offset: int
    until: int
    opening: bool = False


class ScheduledSend(NamedTuple):
    """Connections that send a segment at a time; `tries` counts how often they have sent it."""

    segment: ReplySegment
    slots: Slots
    generation: NDArray[np.uint32]
    base: U32
    tries: int


class StatelessReply(NamedTuple):
    """Segments that belong to no connection."""

    kind: Kind
    endpoints: Endpoints


class Expiry(NamedTuple):
    """Connections to be forgotten, unless their slots have been reused."""

    slots: Slots
    generation: NDArray[np.uint32]


class Transmitter:
    """Schedules the segments of all hosts, by their connections' rows, and yields those that are due."""

    def __init__(self, connections: SimulatedConnections, link: Link, delays: Sequence[float]) -> None:
        self._connections, self._link = connections, link
        self._delays = np.array(delays)
        self._kinds: dict[tuple[int, bytes, int, str], Kind] = {}
        self._events: list[tuple[float, int, ScheduledSend | StatelessReply | Expiry]] = []
        self._number = 0

    def schedule(
        self, slots: Slots, segment: ReplySegment, at: float, *, base: U32 | None = None, tries: int = 0
    ) -> None:
        """Schedule a segment for connections, each after its own delay; `base` is where their answers begin."""
        rows = self._connections.rows
        begin = rows["sent"][slots] if base is None else base
        distance = rows["distance"][slots]
        for index in set(distance.tolist()):
            near = distance == index
            nearby = slots[near]
            self._push(
                at + self._delays[index], ScheduledSend(segment, nearby, rows["generation"][nearby], begin[near], tries)
            )

    def schedule_stateless(self, endpoints: Endpoints, flags: int, now: float, *, fault: str = "") -> None:
        """Schedule segments that belong to no connection."""
        self._push(now + self._delays[0], StatelessReply(self._kind(flags, b"", WINDOW, fault), endpoints))

    def schedule_expiry(self, slots: Slots, at: float) -> None:
        """Schedule when connections are forgotten."""
        self._push(at, Expiry(slots, self._connections.rows["generation"][slots]))

    @property
    def next_due(self) -> float:
        """When the next event is due, in seconds of the clock; infinite if there is none."""
        return self._events[0][0] if self._events else float("inf")

    def due(self, now: float) -> Iterator[tuple[Kind, Endpoints]]:
        """Yield the segments that are due."""
        while self._events and self._events[0][0] <= now:
            match heapq.heappop(self._events)[2]:
                case ScheduledSend() as send:
                    yield from self._send(send, now)
                case StatelessReply(kind, endpoints):
                    yield kind, endpoints
                case Expiry(slots, generation):
                    self._connections.forget(slots[self._connections.rows["generation"][slots] == generation])

    def _push(self, at: float, event: ScheduledSend | StatelessReply | Expiry) -> None:
        self._number += 1
        heapq.heappush(self._events, (at, self._number, event))

    def _kind(self, flags: int, payload: bytes, window: int, fault: str = "") -> Kind:
        key = (flags, payload, window, fault)
        if key not in self._kinds:
            options = OPTIONS if flags & SYN else b""
            kind = Kind.of(self._link, flags, payload, window=window, options=options, played=True)
            self._kinds[key] = replace(kind, tcp=kind.tcp + 1) if fault == "checksum" else kind
        return self._kinds[key]

    def _send(self, event: ScheduledSend, now: float) -> Iterator[tuple[Kind, Endpoints]]:
        """Send a segment from the connections that still need it, and schedule its retransmission."""
        rows, segment = self._connections.rows, event.segment
        current = rows["generation"][event.slots] == event.generation
        if event.tries:
            needed = ~rows["closed"][event.slots] & rows["persistent"][event.slots]
            if segment.opening:
                needed &= ~rows["established"][event.slots]
            else:
                needed &= rows["acked"][event.slots] < event.base + np.uint32(segment.until)
            current &= needed
        slots, base, generation = event.slots[current], event.base[current], event.generation[current]
        if not len(slots):
            return
        yield from self._emit(slots, base, segment)
        if (segment.opening or segment.until) and event.tries < LAST_TRY:
            again = ScheduledSend(segment, slots, generation, base, event.tries + 1)
            self._push(now + RETRANSMIT_AFTER[event.tries], again)

    def _emit(self, slots: Slots, base: U32, segment: ReplySegment) -> Iterator[tuple[Kind, Endpoints]]:
        rows = self._connections.rows[slots]
        back = np.uint32(1 if segment.opening else 0)
        sequence = rows["first"] + base + np.uint32(segment.offset) - back
        windows = WINDOWS[rows["behaviour"]]
        for window in set(windows.tolist()):
            same = windows == window
            alike = rows[same]
            endpoints = Endpoints(alike["address"], alike["port"], alike["client"], sequence[same], alike["next"])
            yield self._kind(segment.flags, segment.payload, window), endpoints
