"""The TCP of simulated hosts (RFC 9293 §3.10), many at a time: segments and the time in, segments out. Sans I/O.

A host accepts what is in order and acknowledges the rest again; one that persists sends what nobody acknowledged again after
1, 3 and 7 s (RFC 6298 §2 and §5.5: 1 s, doubled each time).
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.space.ranges import U32
from pipeline.testbed.internet import population as who
from pipeline.testbed.internet.connections import NONE, Keys, PeerConnections, Slots, keys
from pipeline.testbed.internet.death import Dead
from pipeline.testbed.internet.peers import BEHAVIOURS, NAMES, Piece
from pipeline.testbed.internet.population import Internet, Population
from pipeline.wire.packet import ACK, FIN, OPTIONS, PSH, RST, SYN, WINDOW, Link
from pipeline.wire.segment import Endpoints, Kind

AGAIN_AFTER = (1.0, 2.0, 4.0)
#: A connection is forgotten so long after it began; visitors have gone by then.
FORGOTTEN_AFTER = 60.0
TABLE = tuple(BEHAVIOURS[name] for name in NAMES)
OPENS = np.array([each.opens for each in TABLE])
TAKES = np.array([each.takes for each in TABLE])
RESETS = np.array([each.resets for each in TABLE])
DRAWS = np.array([each.draws for each in TABLE])
WRONG = np.array([each.wrong for each in TABLE])
WINDOWS = np.array([each.window for each in TABLE])


@dataclass(frozen=True, slots=True)
class Segments:
    """What visitors sent to addresses of the internet; shape (n,)."""

    address: U32
    port: NDArray[np.uint16]
    client: NDArray[np.uint16]
    sequence: U32
    acknowledgement: U32
    flags: NDArray[np.uint8]

    def take(self, chosen: NDArray[np.bool_] | Slots) -> "Segments":
        """Those that are chosen."""
        return Segments(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


class Say(NamedTuple):
    """A segment that connections are to send: where in our stream, and how much of it must be acknowledged in the end."""

    flags: int
    payload: bytes
    offset: int
    until: int
    opening: bool = False


class Saying(NamedTuple):
    """Connections that say something at a time; `tries` counts how often they have."""

    say: Say
    slots: Slots
    life: NDArray[np.uint32]
    base: U32
    tries: int


class Loose(NamedTuple):
    """Segments of no connection."""

    kind: Kind
    places: Endpoints


class Forgetting(NamedTuple):
    """Connections to be forgotten, if they still live the same life."""

    slots: Slots
    life: NDArray[np.uint32]


class Responder:
    """All hosts. Feed it with `hear`, then take what is to be sent from `due`."""

    def __init__(self, internet: Internet, population: Population, link: Link) -> None:
        self._internet, self._population, self._link = internet, population, link
        self._delays = np.array(internet.delays)
        self.connections = PeerConnections()
        self._dead = Dead(population, internet.quiet_after)
        self._kinds: dict[tuple[int, bytes, int, str], Kind] = {}
        self._events: list[tuple[float, int, Saying | Loose | Forgetting]] = []
        self._number = 0
        self.opened = self.heard = 0
        self._visits: list[NDArray[np.uint64]] = []

    # --- what is heard ---

    def known(self, segments: Segments, now: float) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
        """Which segments are for hosts that live, and how these behave."""
        behaviour, _ = self._population.who(segments.address, segments.port)
        behaviour[self._dead.among(segments.address, segments.port, behaviour, now)] = who.NOBODY
        there = np.flatnonzero(behaviour != who.NOBODY)
        return there, behaviour[there]

    def hear(self, segments: Segments, behaviour: NDArray[np.int8], payloads: list[bytes], now: float) -> None:
        """Take segments for hosts in the order of their arrival."""
        self.heard += len(behaviour)
        syn = (segments.flags & (SYN | ACK | RST)) == SYN
        self._hear_syn(segments.take(syn), behaviour[syn], now)
        others = np.flatnonzero(~syn)
        if not len(others):
            return
        rest = segments.take(others)
        slots = self.connections.find(keys(rest.address, rest.port, rest.client))
        open_ = (slots != NONE) & ~self.connections.rows["closed"][slots]
        self._stray(rest.take(~open_), now)
        for number in np.split(np.flatnonzero(open_), _rounds(slots[open_])):
            told = [payloads[place] for place in others[number].tolist()]
            self._hear_open(rest.take(number), slots[number], told, now)

    def _hear_syn(self, segments: Segments, behaviour: NDArray[np.int8], now: float) -> None:
        """Refuse, answer wrongly, or open a connection and answer; one that is open already answers again."""
        opens = OPENS[behaviour]
        self._answer_loosely(segments.take(~opens), RST | ACK, now)
        for wrong in ("checksum", "acknowledgement"):
            self._answer_loosely(segments.take(opens & (WRONG[behaviour] == wrong)), SYN | ACK, now, wrong=wrong)
        right = np.flatnonzero(opens & (WRONG[behaviour] == ""))
        if not len(right):
            return
        wanted = keys(segments.address[right], segments.port[right], segments.client[right])
        wanted, first = np.unique(wanted, return_index=True)
        asked, behaves = segments.take(right[first]), behaviour[right[first]]
        slots = self.connections.find(wanted)
        rows = self.connections.rows[slots]
        again = (slots != NONE) & ~rows["closed"] & (rows["next"] == asked.sequence + np.uint32(1))
        self._say(
            slots[again & ~rows["established"]], Say(SYN | ACK, b"", 0, 0, opening=True), now, tries=len(AGAIN_AFTER)
        )
        self._open(asked.take(~again), wanted[~again], behaves[~again], now)

    def _open(self, asked: Segments, wanted: Keys, behaviour: NDArray[np.int8], now: float) -> None:
        slots = self.connections.open(wanted)
        rows, share = self.connections.rows, self._population.share
        drawn = (share(who.DRAWS, asked.address, asked.port) * DRAWS[behaviour]).astype(np.uint32)
        distance = (share(who.DISTANCE, asked.address, asked.port) * len(self._delays)).astype(np.uint8)
        persists = share(who.PERSISTS, asked.address, asked.port) < self._internet.persistent
        first = who.mix(asked.address.astype(np.uint64) << np.uint64(32) | asked.sequence, self._internet.seed)
        for name, column in {
            "address": asked.address, "port": asked.port, "client": asked.client, "behaviour": behaviour,
            "persistent": persists, "distance": distance, "draw": drawn, "next": asked.sequence + np.uint32(1),
            "first": (first >> np.uint64(32)).astype(np.uint32),
        }.items():  # fmt: skip
            rows[name][slots] = column
        self.opened += len(slots)
        self._push(now + FORGOTTEN_AFTER, Forgetting(slots, rows["life"][slots]))
        self._say(slots, Say(SYN | ACK, b"", 0, 0, opening=True), now)

    def _hear_open(self, segments: Segments, slots: Slots, payloads: list[bytes], now: float) -> None:
        """One segment for each of some open connections."""
        rows = self.connections.rows
        reset = slots[(segments.flags & RST) != 0]
        rows["closed"][reset] = True
        self._dead.visited(rows[reset[rows["established"][reset]]])
        alive = ((segments.flags & RST) == 0) & ((segments.flags & ACK) != 0)
        acked = segments.acknowledgement[alive] - rows["first"][slots[alive]]
        sound = acked <= rows["sent"][slots[alive]]
        rows["acked"][slots[alive][sound]] = np.maximum(rows["acked"][slots[alive][sound]], acked[sound])
        self._note_visits(slots[alive & ~rows["established"][slots]])
        rows["established"][slots[alive]] = True
        size = np.array([len(payload) for payload in payloads], dtype=np.uint32)
        fin = (segments.flags & FIN) != 0
        speaks = alive & ((size > 0) | fin) & TAKES[rows["behaviour"][slots]]
        expected = speaks & (segments.sequence == rows["next"][slots])
        self._say(slots[speaks & ~expected], Say(ACK, b"", 0, 0), now)
        shut = alive & ((size > 0) | fin) & (rows["behaviour"][slots] == NAMES.index("shut"))
        self._say(slots[shut], Say(ACK, b"", 0, 0), now)
        rows["next"][slots[expected]] += (size + fin)[expected]
        self._reply(slots, payloads, np.flatnonzero(expected & (size > 0)), now)
        self._close(slots[expected & fin], now)

    def _note_visits(self, slots: Slots) -> None:
        """Note whose connections are established now."""
        rows = self.connections.rows[slots]
        if len(rows):
            self._visits.append(rows["address"].astype(np.uint64) << np.uint64(16) | rows["port"])

    def visits(self) -> NDArray[np.uint64]:
        """The target (address · 2^16 + port) of every connection that was ever established."""
        return np.concatenate([np.empty(0, dtype=np.uint64), *self._visits])

    def _reply(self, slots: Slots, payloads: list[bytes], told: NDArray[np.int64], now: float) -> None:
        """Answer what was told; hosts that give the same answer to the same words answer together."""
        rows = self.connections.rows
        resetting = RESETS[rows["behaviour"][slots[told]]]
        self._say(slots[told[resetting]], Say(RST | ACK, b"", 0, 0), now)
        rows["closed"][slots[told[resetting]]] = True
        words = [payloads[place] for place in told[~resetting].tolist()]
        answering = slots[told[~resetting]]
        behaviours, draws = (rows[name][answering].tolist() for name in ("behaviour", "draw"))
        alike: defaultdict[tuple[int, int, bytes], list[int]] = defaultdict(list)
        for slot, behaviour, draw, word in zip(answering.tolist(), behaviours, draws, words, strict=True):
            alike[behaviour, draw, word].append(slot)
        for (behaviour, draw, word), same in alike.items():
            self._answer(np.array(same), behaviour, draw, word, now)

    def _answer(self, slots: Slots, behaviour: int, draw: int, told: bytes, now: float) -> None:
        row, rows = TABLE[behaviour], self.connections.rows
        data, fin = row.answer(told, draw) if row.answer else (b"", False)
        base = rows["sent"][slots].copy()
        rows["sent"][slots] += np.uint32(len(data) + fin)
        rows["ended"][slots] |= fin
        pieces = row.cut(data, fin, draw) if data or fin else [Piece(0, b"")]
        for piece in pieces:
            flags = ACK | (PSH if piece.data else 0) | (FIN if piece.fin else 0)
            end = piece.offset + len(piece.data) + piece.fin
            say = Say(flags, piece.data, piece.offset, end if piece.data or piece.fin else 0)
            self._say(slots, say, now + piece.after, base=base)

    def _close(self, slots: Slots, now: float) -> None:
        """The visitor closes: acknowledge, and close too; then the connection is over but for what it says again."""
        rows = self.connections.rows
        open_ = slots[~rows["ended"][slots]]
        base = rows["sent"][open_].copy()
        rows["sent"][open_] += np.uint32(1)
        self._say(open_, Say(ACK | FIN, b"", 0, 1), now, base=base)
        self._say(slots[rows["ended"][slots]], Say(ACK, b"", 0, 0), now)
        rows["ended"][open_] = True
        self._dead.visited(rows[slots])

    def _stray(self, segments: Segments, now: float) -> None:
        """Reset what belongs to no connection (RFC 9293 §3.10.7.1)."""
        self._answer_loosely(segments.take((segments.flags & (RST | ACK)) == ACK), RST, now)

    # --- what is said ---

    def _say(self, slots: Slots, say: Say, at: float, *, base: U32 | None = None, tries: int = 0) -> None:
        """Let connections say something, each after its own delay."""
        rows = self.connections.rows
        begin = rows["sent"][slots] if base is None else base
        distance = rows["distance"][slots]
        for place in set(distance.tolist()):
            near = distance == place
            chosen = slots[near]
            self._push(at + self._delays[place], Saying(say, chosen, rows["life"][chosen], begin[near], tries))

    def _push(self, at: float, event: Saying | Loose | Forgetting) -> None:
        self._number += 1
        heapq.heappush(self._events, (at, self._number, event))

    def _answer_loosely(self, segments: Segments, flags: int, now: float, *, wrong: str = "") -> None:
        """Answer segments from what they say themselves."""
        if not len(segments.address):
            return
        ours = segments.acknowledgement if flags == RST else np.zeros(len(segments.address), dtype=np.uint32)
        expected = segments.sequence + np.uint32(1 if wrong != "acknowledgement" else 77_777)
        places = Endpoints(segments.address, segments.port, segments.client, ours, expected)
        self._push(now + self._delays[0], Loose(self._kind(flags, b"", WINDOW, wrong), places))

    def _kind(self, flags: int, payload: bytes, window: int, wrong: str = "") -> Kind:
        key = (flags, payload, window, wrong)
        if key not in self._kinds:
            options = OPTIONS if flags & SYN else b""
            kind = Kind.of(self._link, flags, payload, window=window, options=options, played=True)
            self._kinds[key] = replace(kind, tcp=kind.tcp + 1) if wrong == "checksum" else kind
        return self._kinds[key]

    # --- time ---

    @property
    def next_due(self) -> float:
        """When something is to be done, in seconds of the clock; infinite if nothing is."""
        return self._events[0][0] if self._events else float("inf")

    def due(self, now: float) -> Iterator[tuple[Kind, Endpoints]]:
        """What is to be sent by now."""
        while self._events and self._events[0][0] <= now:
            match heapq.heappop(self._events)[2]:
                case Saying() as saying:
                    yield from self._due(saying, now)
                case Loose(kind, places):
                    yield kind, places
                case Forgetting(slots, life):
                    self.connections.forget(slots[self.connections.rows["life"][slots] == life])

    def _due(self, event: Saying, now: float) -> Iterator[tuple[Kind, Endpoints]]:
        """Say what is still to be said, and say it again later to whom persists."""
        rows, say = self.connections.rows, event.say
        alive = rows["life"][event.slots] == event.life
        if event.tries:
            wanted = ~rows["closed"][event.slots] & rows["persistent"][event.slots]
            if say.opening:
                wanted &= ~rows["established"][event.slots]
            else:
                wanted &= rows["acked"][event.slots] < event.base + np.uint32(say.until)
            alive &= wanted
        slots, base, life = event.slots[alive], event.base[alive], event.life[alive]
        if not len(slots):
            return
        yield from self._emit(slots, base, say)
        if (say.opening or say.until) and event.tries < len(AGAIN_AFTER):
            self._push(now + AGAIN_AFTER[event.tries], Saying(say, slots, life, base, event.tries + 1))

    def _emit(self, slots: Slots, base: U32, say: Say) -> Iterator[tuple[Kind, Endpoints]]:
        rows = self.connections.rows[slots]
        back = np.uint32(1 if say.opening else 0)
        sequence = rows["first"] + base + np.uint32(say.offset) - back
        windows = WINDOWS[rows["behaviour"]]
        for window in set(windows.tolist()):
            chosen = windows == window
            its = rows[chosen]
            places = Endpoints(its["address"], its["port"], its["client"], sequence[chosen], its["next"])
            yield self._kind(say.flags, say.payload, window), places


def _rounds(slots: Slots) -> Slots:
    """Where to cut a run of segments so that in no part a connection has two of them."""
    cuts: list[int] = []
    seen: set[int] = set()
    for place, slot in enumerate(slots.tolist()):
        if slot in seen:
            cuts.append(place)
            seen.clear()
        seen.add(slot)
    return np.array(cuts, dtype=np.int64)
