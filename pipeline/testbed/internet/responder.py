"""The TCP of simulated hosts (RFC 9293 §3.10), for many hosts at a time: segments and the time in, segments out. Sans I/O.

A host takes data in order, and acknowledges again what is out of order. `transmitter` sends and retransmits its answers.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.space.ranges import U32
from pipeline.testbed.internet import population
from pipeline.testbed.internet.connections import NONE, Keys, SimulatedConnections, Slots, keys
from pipeline.testbed.internet.death import DeadHosts
from pipeline.testbed.internet.peers import BEHAVIOURS, NAMES, Piece
from pipeline.testbed.internet.population import NO_HOST, Internet, Population
from pipeline.testbed.internet.transmitter import LAST_TRY, ReplySegment, Transmitter
from pipeline.wire.packet import ACK, FIN, PSH, RST, SYN, Link
from pipeline.wire.segment import Endpoints, Kind

#: A connection is forgotten this many seconds after it began; visitors are gone by then.
FORGOTTEN_AFTER = 60.0
TABLE = tuple(BEHAVIOURS[name] for name in NAMES)
OPENS = np.array([behaviour.opens for behaviour in TABLE])
ACKNOWLEDGES = np.array([behaviour.acknowledges for behaviour in TABLE])
RESETS = np.array([behaviour.resets for behaviour in TABLE])
VARIANTS = np.array([behaviour.variants for behaviour in TABLE])
FAULTS = np.array([behaviour.fault for behaviour in TABLE])

SYN_ACK = ReplySegment(SYN | ACK, b"", 0, 0, opening=True)
BARE_ACK = ReplySegment(ACK, b"", 0, 0)
RESET = ReplySegment(RST | ACK, b"", 0, 0)
CLOSING_FIN = ReplySegment(ACK | FIN, b"", 0, 1)


@dataclass(frozen=True, slots=True)
class IncomingSegments:
    """Segments from visitors to addresses of the internet; arrays of shape (n,)."""

    address: U32
    port: NDArray[np.uint16]
    client: NDArray[np.uint16]
    sequence: U32
    acknowledgement: U32
    flags: NDArray[np.uint8]

    def take(self, selection: NDArray[np.bool_] | Slots) -> "IncomingSegments":
        """The selected segments."""
        return IncomingSegments(*(getattr(self, name)[selection] for name in self.__dataclass_fields__))


class Responder:
    """All hosts of an internet. Give it segments with `receive`, then send what `due` yields."""

    def __init__(self, internet: Internet, hosts: Population, link: Link) -> None:
        self._internet, self._population = internet, hosts
        self.connections = SimulatedConnections()
        self._transmitter = Transmitter(self.connections, link, internet.delays)
        self._dead = DeadHosts(hosts, internet.quiet_after, internet.quiet_until)
        self.opened = self.received = 0
        self._visits: list[NDArray[np.uint64]] = []

    @property
    def next_due(self) -> float:
        """When the next segment is due, in seconds of the clock; infinite if there is none."""
        return self._transmitter.next_due

    def due(self, now: float) -> Iterator[tuple[Kind, Endpoints]]:
        """Yield the segments that are due."""
        return self._transmitter.due(now)

    def visits(self) -> NDArray[np.uint64]:
        """The target (address · 2^16 + port) of every connection that was ever established."""
        return np.concatenate([np.empty(0, dtype=np.uint64), *self._visits])

    def find_hosts(self, segments: IncomingSegments, now: float) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
        """The indices of segments to hosts that are alive, and the hosts' behaviours."""
        behaviour, _ = self._population.lookup(segments.address, segments.port)
        behaviour[self._dead.among(segments.address, segments.port, behaviour, now)] = NO_HOST
        alive = np.flatnonzero(behaviour != NO_HOST)
        return alive, behaviour[alive]

    def receive(
        self, segments: IncomingSegments, behaviour: NDArray[np.int8], payloads: list[bytes], now: float
    ) -> None:
        """Take segments for hosts in the order of their arrival."""
        self.received += len(behaviour)
        syn = (segments.flags & (SYN | ACK | RST)) == SYN
        self._receive_syn(segments.take(syn), behaviour[syn], now)
        others = np.flatnonzero(~syn)
        if not len(others):
            return
        rest = segments.take(others)
        slots = self.connections.find(keys(rest.address, rest.port, rest.client))
        is_open = (slots != NONE) & ~self.connections.rows["closed"][slots]
        self._reset_stray(rest.take(~is_open), now)
        for batch in np.split(np.flatnonzero(is_open), _batch_ends(slots[is_open])):
            batch_payloads = [payloads[index] for index in others[batch].tolist()]
            self._receive_open(rest.take(batch), slots[batch], batch_payloads, now)

    # --- SYNs ---

    def _receive_syn(self, segments: IncomingSegments, behaviour: NDArray[np.int8], now: float) -> None:
        """Refuse, answer with a fault, or open a connection; an open connection repeats its SYN-ACK."""
        opens = OPENS[behaviour]
        self._reply_stateless(segments.take(~opens), RST | ACK, now)
        for fault in ("checksum", "acknowledgement"):
            self._reply_stateless(segments.take(opens & (FAULTS[behaviour] == fault)), SYN | ACK, now, fault=fault)
        sound = np.flatnonzero(opens & (FAULTS[behaviour] == ""))
        if not len(sound):
            return
        wanted = keys(segments.address[sound], segments.port[sound], segments.client[sound])
        wanted, first = np.unique(wanted, return_index=True)
        syns, behaviours = segments.take(sound[first]), behaviour[sound[first]]
        slots = self.connections.find(wanted)
        rows = self.connections.rows[slots]
        again = (slots != NONE) & ~rows["closed"] & (rows["next"] == syns.sequence + np.uint32(1))
        self._transmitter.schedule(slots[again & ~rows["established"]], SYN_ACK, now, tries=LAST_TRY)
        self._open(syns.take(~again), wanted[~again], behaviours[~again], now)

    def _open(self, syns: IncomingSegments, wanted: Keys, behaviour: NDArray[np.int8], now: float) -> None:
        """Open connections with the properties of their hosts, and answer with a SYN-ACK."""
        slots = self.connections.open(wanted)
        rows, uniform = self.connections.rows, self._population.uniform
        variant = (uniform(population.VARIANT, syns.address, syns.port) * VARIANTS[behaviour]).astype(np.uint32)
        distance = (uniform(population.DISTANCE, syns.address, syns.port) * len(self._internet.delays)).astype(np.uint8)
        persists = uniform(population.PERSISTS, syns.address, syns.port) < self._internet.persistent
        first = population.mix(syns.address.astype(np.uint64) << np.uint64(32) | syns.sequence, self._internet.seed)
        for name, column in {
            "address": syns.address, "port": syns.port, "client": syns.client, "behaviour": behaviour,
            "persistent": persists, "distance": distance, "variant": variant, "next": syns.sequence + np.uint32(1),
            "first": (first >> np.uint64(32)).astype(np.uint32),
        }.items():  # fmt: skip
            rows[name][slots] = column
        self.opened += len(slots)
        self._transmitter.schedule_expiry(slots, now + FORGOTTEN_AFTER)
        self._transmitter.schedule(slots, SYN_ACK, now)

    # --- segments of open connections ---

    def _receive_open(self, segments: IncomingSegments, slots: Slots, payloads: list[bytes], now: float) -> None:
        """Take one segment for each of some open connections."""
        rows = self.connections.rows
        reset = slots[(segments.flags & RST) != 0]
        rows["closed"][reset] = True
        self._dead.visited(rows[reset[rows["established"][reset]]])
        alive = ((segments.flags & RST) == 0) & ((segments.flags & ACK) != 0)
        self._acknowledge(segments.take(alive), slots[alive])
        size = np.array([len(payload) for payload in payloads], dtype=np.uint32)
        fin = (segments.flags & FIN) != 0
        has_data = alive & ((size > 0) | fin)
        taken = has_data & ACKNOWLEDGES[rows["behaviour"][slots]]
        expected = taken & (segments.sequence == rows["next"][slots])
        self._transmitter.schedule(slots[taken & ~expected], BARE_ACK, now)
        shut = has_data & (rows["behaviour"][slots] == NAMES.index("shut"))
        self._transmitter.schedule(slots[shut], BARE_ACK, now)
        rows["next"][slots[expected]] += (size + fin)[expected]
        self._reply(slots, payloads, np.flatnonzero(expected & (size > 0)), now)
        self._close(slots[expected & fin], now)

    def _acknowledge(self, segments: IncomingSegments, slots: Slots) -> None:
        """Record acknowledged bytes, and which connections are established."""
        rows = self.connections.rows
        acked = segments.acknowledgement - rows["first"][slots]
        sound = acked <= rows["sent"][slots]
        rows["acked"][slots[sound]] = np.maximum(rows["acked"][slots[sound]], acked[sound])
        new = rows[slots[~rows["established"][slots]]]
        if len(new):
            self._visits.append(new["address"].astype(np.uint64) << np.uint64(16) | new["port"])
        rows["established"][slots] = True

    def _reply(self, slots: Slots, payloads: list[bytes], indices: NDArray[np.int64], now: float) -> None:
        """Answer the requests at these indices; connections with equal answers are handled together."""
        rows = self.connections.rows
        resetting = RESETS[rows["behaviour"][slots[indices]]]
        self._transmitter.schedule(slots[indices[resetting]], RESET, now)
        rows["closed"][slots[indices[resetting]]] = True
        requests = [payloads[index] for index in indices[~resetting].tolist()]
        answering = slots[indices[~resetting]]
        behaviours, variants = (rows[name][answering].tolist() for name in ("behaviour", "variant"))
        alike: defaultdict[tuple[int, int, bytes], list[int]] = defaultdict(list)
        for slot, behaviour, variant, request in zip(answering.tolist(), behaviours, variants, requests, strict=True):
            alike[behaviour, variant, request].append(slot)
        for (behaviour, variant, request), same in alike.items():
            self._answer(np.array(same), behaviour, variant, request, now)

    def _answer(self, slots: Slots, behaviour: int, variant: int, request: bytes, now: float) -> None:
        row, rows = TABLE[behaviour], self.connections.rows
        data, fin = row.answer(request, variant) if row.answer else (b"", False)
        base = rows["sent"][slots].copy()
        rows["sent"][slots] += np.uint32(len(data) + fin)
        rows["fin_sent"][slots] |= fin
        pieces = row.cut(data, fin, variant) if data or fin else [Piece(0, b"")]
        for piece in pieces:
            flags = ACK | (PSH if piece.data else 0) | (FIN if piece.fin else 0)
            end = piece.offset + len(piece.data) + piece.fin
            segment = ReplySegment(flags, piece.data, piece.offset, end if piece.data or piece.fin else 0)
            self._transmitter.schedule(slots, segment, now + piece.after, base=base)

    def _close(self, slots: Slots, now: float) -> None:
        """Acknowledge the visitor's FIN, and send our own if it is not sent; only retransmissions follow."""
        rows = self.connections.rows
        unfinished = slots[~rows["fin_sent"][slots]]
        base = rows["sent"][unfinished].copy()
        rows["sent"][unfinished] += np.uint32(1)
        self._transmitter.schedule(unfinished, CLOSING_FIN, now, base=base)
        self._transmitter.schedule(slots[rows["fin_sent"][slots]], BARE_ACK, now)
        rows["fin_sent"][unfinished] = True
        self._dead.visited(rows[slots])

    # --- segments of no connection ---

    def _reset_stray(self, segments: IncomingSegments, now: float) -> None:
        """Reset segments that belong to no connection (RFC 9293 §3.10.7.1)."""
        self._reply_stateless(segments.take((segments.flags & (RST | ACK)) == ACK), RST, now)

    def _reply_stateless(self, segments: IncomingSegments, flags: int, now: float, *, fault: str = "") -> None:
        """Answer segments from their own numbers."""
        if not len(segments.address):
            return
        ours = segments.acknowledgement if flags == RST else np.zeros(len(segments.address), dtype=np.uint32)
        expected = segments.sequence + np.uint32(1 if fault != "acknowledgement" else 77_777)
        endpoints = Endpoints(segments.address, segments.port, segments.client, ours, expected)
        self._transmitter.schedule_stateless(endpoints, flags, now, fault=fault)


def _batch_ends(slots: Slots) -> Slots:
    """Where to split a run of segments so that no batch has two segments of one connection."""
    ends: list[int] = []
    seen: set[int] = set()
    for index, slot in enumerate(slots.tolist()):
        if slot in seen:
            ends.append(index)
            seen.clear()
        seen.add(slot)
    return np.array(ends, dtype=np.int64)
