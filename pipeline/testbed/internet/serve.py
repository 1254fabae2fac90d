"""Simulate an internet at the world's end of a pair: `python -m pipeline.testbed.internet.serve SPEC VANTAGE-ADDRESS …`, until
SIGTERM.

Prints `ready`, and at the end one line of JSON with its counts.
"""

import json
import select
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.guard import sockets
from pipeline.rings.packet_ring import segment_ring
from pipeline.rings.receive import Received, ReceiveRing
from pipeline.rings.transmit import RefusedError, SegmentRing
from pipeline.rings.xdp import Port
from pipeline.space.address_list import parse
from pipeline.testbed.closed import VANTAGE_ADDRESS, VANTAGE_MAC, WORLD_MAC
from pipeline.testbed.internet.loss import Bottleneck, Loss, Stalling, SynAckLoss
from pipeline.testbed.internet.population import Internet, Population, block_ranges
from pipeline.testbed.internet.responder import IncomingSegments, Responder
from pipeline.testbed.spec import Spec, load, placed_addresses
from pipeline.wire.cookie import FIRST_SOURCE_PORT, SOURCE_PORTS
from pipeline.wire.packet import ACK, OPTIONS, SYN, TCP, WINDOW, Link, u2, u4
from pipeline.wire.segment import Endpoints, Kind

INTERFACE = "world0"
ETH_P_ALL = 3
#: The longest wait for packets, in seconds; a stop is noticed that soon.
PATIENCE = 0.05
#: Packets that arrive within this many seconds are handled together, which costs less per packet.
GATHER = 0.01
#: Forged SYN-ACKs leave together, so often.
FORGE_SECONDS = 0.05
HEADERS = 40


@dataclass(slots=True)
class Simulator:
    """The process: packet rings, a responder for each address of the vantage, lossy paths, and forged SYN-ACKs."""

    internet: Internet
    responders: dict[int, Responder]
    receive_ring: ReceiveRing
    send_ring: SegmentRing
    link: Link
    blocks: tuple[tuple[int, int], ...]
    bottleneck: Bottleneck
    unheard: SynAckLoss
    stalling: Stalling
    stopped: bool = False
    syns: int = 0
    sent: int = 0
    forged: int = 0
    started_at: float = field(default_factory=time.monotonic)
    forge_at: float = 0.0

    def run(self) -> None:
        """Simulate until stopped."""
        outward = Loss(self.internet.loss, self.internet.burst, self.internet.seed)
        back = Loss(self.internet.loss, self.internet.burst, self.internet.seed + 1)
        poll = select.poll()
        poll.register(self.receive_ring.socket, select.POLLIN)
        forger = np.random.default_rng(self.internet.seed)
        read_at = 0.0
        while not self.stopped:
            wait = min(PATIENCE, min(responder.next_due for responder in self.responders.values()) - time.monotonic())
            poll.poll(max(0, int(wait * 1000)))
            time.sleep(max(0.0, read_at + GATHER - time.monotonic()))
            read_at = time.monotonic()
            self.receive(self.receive_ring.read(), outward)
            for responder in self.responders.values():
                self.transmit(responder, back)
            self.forge(forger)

    def transmit(self, responder: Responder, path: Loss) -> None:
        """Send the segments of one responder that are due."""
        if responder.next_due > time.monotonic():
            return
        sent = [
            (kind, places.take(self.arrives(kind.flags, places, path)))
            for kind, places in responder.due(time.monotonic())
        ]
        self.sent += sum(len(places.address) for _, places in sent)
        self.send_ring.send(sent)

    def arrives(self, flags: int, places: Endpoints, path: Loss) -> NDArray[np.bool_]:
        """Whether each of some segments from hosts arrives."""
        passes = path.passes(len(places.address)) & self.unheard.passes(flags, places.address)
        return passes & self.stalling.passes(flags, places)

    def receive(self, received: Received, path: Loss) -> None:
        """Take what arrives. Most of it is for addresses without a host, which is checked first."""
        packets = received.packets
        selected = np.flatnonzero((packets[:, 0] == 0x45) & (packets[:, 9] == TCP) & (received.lengths >= HEADERS))
        self.syns += int((packets[selected, 33] == SYN).sum())
        selected = selected[self.bottleneck.passes(len(selected), time.monotonic())]
        selected = selected[path.passes(len(selected))]
        visitor = u4(packets[selected], 12)
        for address, responder in self.responders.items():
            self.deliver(responder, received, selected[visitor == address])

    def deliver(self, responder: Responder, received: Received, selected: NDArray[np.int64]) -> None:
        """Give a responder the packets from its address of the vantage."""
        if not len(selected):
            return
        rows = received.packets[selected]
        segments = IncomingSegments(u4(rows, 16), u2(rows, 22), u2(rows, 20), u4(rows, 24), u4(rows, 28), rows[:, 33])
        now = time.monotonic()
        alive, behaviour = responder.find_hosts(segments, now)
        if not len(alive):
            return
        begin = (rows[alive, 32] >> np.uint8(4)).astype(np.uint16) * np.uint16(4) + np.uint16(20)
        payloads = received.bytes_of(selected[alive], begin, u2(rows[alive], 2) - begin)
        responder.receive(segments.take(alive), behaviour, payloads, now)

    def forge(self, random: np.random.Generator) -> None:
        """Send the SYN-ACKs without a SYN that are due."""
        now = time.monotonic()
        if now < self.forge_at:
            return
        self.forge_at = now + FORGE_SECONDS
        count = int((now - self.started_at) * self.internet.forged) - self.forged
        if count <= 0:
            return
        first, last = (np.array(column) for column in zip(*self.blocks, strict=True))
        block = random.integers(0, len(first), count)
        kind = Kind.of(self.link, SYN | ACK, window=WINDOW, options=OPTIONS, played=True)
        places = Endpoints(
            random.integers(first[block], last[block] + 1).astype(np.uint32),
            random.choice(np.array(self.internet.block[0].ports or (104,), dtype=np.uint16), count),
            random.integers(FIRST_SOURCE_PORT, FIRST_SOURCE_PORT + SOURCE_PORTS, count).astype(np.uint16),
            random.integers(0, 2**32, count).astype(np.uint32),
            random.integers(0, 2**32, count).astype(np.uint32),
        )
        self.send_ring.send([(kind, places)])
        self.forged += count

    def stop(self, *_: object) -> None:
        """End the loop after this turn."""
        self.stopped = True

    def counts(self) -> dict[str, int]:
        """Counts; `visited_again` are connections to targets that had been visited before."""
        visits = np.concatenate([responder.visits() for responder in self.responders.values()])
        return {
            "visits": len(visits), "visited_again": len(visits) - len(np.unique(visits)),
            "syns": self.syns, "received": sum(responder.received for responder in self.responders.values()),
            "connections": sum(responder.opened for responder in self.responders.values()), "sent": self.sent,
            "forged": self.forged, "dropped": self.receive_ring.count_drops(),
        }  # fmt: skip


def make_simulator(spec: Spec, internet: Internet, vantage: Sequence[str]) -> Simulator:
    """A simulator of a specification's internet for a vantage's addresses."""
    links = [link(address) for address in vantage]
    population = Population(internet, placed_addresses(spec))
    blocks = tuple(parse(text, "block") for block in internet.block for text in block.addresses)
    ranges = [block_ranges(block, number) for number, block in enumerate(internet.block)]
    return Simulator(
        internet,
        {end.source: Responder(internet, population, end) for end in links},
        ReceiveRing(sockets.packet_socket(INTERFACE, ETH_P_ALL)),
        open_ring(),
        links[0],
        blocks,
        Bottleneck(internet.bottleneck),
        SynAckLoss([(part, block.unheard) for part, block in zip(ranges, internet.block, strict=True)], internet.seed),
        Stalling([(part, block.stalled) for part, block in zip(ranges, internet.block, strict=True)], internet.seed),
    )


def open_ring() -> SegmentRing:
    """The ring that hosts send through: AF_XDP, or a packet ring, which costs more, where that is refused."""
    try:
        return SegmentRing(Port(INTERFACE).segments)
    except RefusedError:
        return segment_ring(sockets.packet_socket(INTERFACE, 0))


def link(address: str = VANTAGE_ADDRESS) -> Link:
    """The link from the world's end of the pair to an address of the vantage."""
    return Link(_mac(WORLD_MAC), _mac(VANTAGE_MAC), parse(address, "here")[0])


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def main() -> None:
    """Simulate the internet of a specification."""
    spec = load(Path(sys.argv[1]))
    if spec.internet is None:
        sys.exit(f"{sys.argv[1]} has no [internet]")
    simulator = make_simulator(spec, spec.internet, sys.argv[2:])
    signal.signal(signal.SIGTERM, simulator.stop)
    print("ready", flush=True)
    simulator.run()
    print(json.dumps(simulator.counts()), flush=True)


if __name__ == "__main__":
    main()
