"""Play an internet at the world's end of a pair: `python -m pipeline.testbed.internet.serve SPEC VANTAGE-ADDRESS …`, until SIGTERM.

Says `ready`, and at its end one line of JSON with what it counted.
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
from pipeline.rings.transmit import SegmentRing
from pipeline.rings.xdp import Port, RefusedError
from pipeline.space.address_list import parse
from pipeline.testbed.closed import VANTAGE_ADDRESS, VANTAGE_MAC, WORLD_MAC
from pipeline.testbed.internet.loss import Bottleneck, Loss
from pipeline.testbed.internet.population import Internet, Population
from pipeline.testbed.internet.responder import Responder, Segments
from pipeline.testbed.spec import Spec, load, taken
from pipeline.wire.cookie import FIRST_SOURCE_PORT, SOURCE_PORTS
from pipeline.wire.packet import ACK, OPTIONS, SYN, TCP, WINDOW, Link, u2, u4
from pipeline.wire.segment import Endpoints, Kind

INTERFACE = "world0"
ETH_P_ALL = 3
#: How long to wait for packets at most, in seconds: a stop is noticed that soon.
PATIENCE = 0.05
#: Packets are taken together that come within so many seconds: each costs the less, the more there are.
GATHER = 0.005
HEADERS = 40


@dataclass(slots=True)
class Player:
    """The process: rings around a responder for each address of the vantage, lossy paths, and forgers."""

    internet: Internet
    responders: dict[int, Responder]
    receive: ReceiveRing
    ring: SegmentRing
    link: Link
    blocks: tuple[tuple[int, int], ...]
    bottleneck: Bottleneck
    stopped: bool = False
    syns: int = 0
    said: int = 0
    forged: int = 0
    began: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        """Play until told to stop."""
        there = Loss(self.internet.loss, self.internet.burst, self.internet.seed)
        back = Loss(self.internet.loss, self.internet.burst, self.internet.seed + 1)
        poll = select.poll()
        poll.register(self.receive.socket, select.POLLIN)
        forger = np.random.default_rng(self.internet.seed)
        looked = 0.0
        while not self.stopped:
            wait = min(PATIENCE, min(each.next_due for each in self.responders.values()) - time.monotonic())
            poll.poll(max(0, int(wait * 1000)))
            time.sleep(max(0.0, looked + GATHER - time.monotonic()))
            looked = time.monotonic()
            self.hear(self.receive.read(), there)
            for responder in self.responders.values():
                self.answer(responder, back)
            self.forge(forger)

    def answer(self, responder: Responder, path: Loss) -> None:
        """Send what hosts have to say to an address by now."""
        said = [(kind, places.take(path.kept(len(places.address)))) for kind, places in responder.due(time.monotonic())]
        self.said += sum(len(places.address) for _, places in said)
        self.ring.send(said)

    def hear(self, received: Received, path: Loss) -> None:
        """Take what arrives; most of it is for nobody, so that is found out first."""
        packets = received.packets
        mine = np.flatnonzero((packets[:, 0] == 0x45) & (packets[:, 9] == TCP) & (received.lengths >= HEADERS))
        self.syns += int((packets[mine, 33] == SYN).sum())
        mine = mine[self.bottleneck.kept(len(mine), time.monotonic())]
        mine = mine[path.kept(len(mine))]
        visitor = u4(packets[mine], 12)
        for address, responder in self.responders.items():
            self.tell(responder, received, mine[visitor == address])

    def tell(self, responder: Responder, received: Received, mine: NDArray[np.int64]) -> None:
        """Let hosts hear those packets that come from the same address."""
        rows = received.packets[mine]
        segments = Segments(u4(rows, 16), u2(rows, 22), u2(rows, 20), u4(rows, 24), u4(rows, 28), rows[:, 33])
        now = time.monotonic()
        there, behaviour = responder.known(segments, now)
        if not len(there):
            return
        begin = (rows[there, 32] >> np.uint8(4)).astype(np.uint16) * np.uint16(4) + np.uint16(20)
        payloads = received.bytes_of(mine[there], begin, u2(rows[there], 2) - begin)
        responder.hear(segments.take(there), behaviour, payloads, now)

    def forge(self, random: np.random.Generator) -> None:
        """Send SYN-ACKs that answer nothing, as many as are due."""
        count = int((time.monotonic() - self.began) * self.internet.forged) - self.forged
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
        self.ring.send([(kind, places)])
        self.forged += count

    def stop(self, *_: object) -> None:
        """End the next turn of the loop."""
        self.stopped = True

    def counts(self) -> dict[str, int]:
        """What happened; `visited_again` are the connections with targets that had been visited before."""
        visits = np.concatenate([each.visits() for each in self.responders.values()])
        return {
            "visits": len(visits), "visited_again": len(visits) - len(np.unique(visits)),
            "syns": self.syns, "heard": sum(each.heard for each in self.responders.values()),
            "connections": sum(each.opened for each in self.responders.values()), "said": self.said,
            "forged": self.forged, "dropped": self.receive.count_drops(),
        }  # fmt: skip


def player(spec: Spec, internet: Internet, vantage: Sequence[str]) -> Player:
    """The player of a specification's internet, asked from a vantage's addresses."""
    links = [link(address) for address in vantage]
    population = Population(internet, taken(spec))
    blocks = tuple(parse(text, "block") for block in internet.block for text in block.addresses)
    return Player(
        internet,
        {each.source: Responder(internet, population, each) for each in links},
        ReceiveRing(sockets.packet_socket(INTERFACE, ETH_P_ALL)),
        segments(),
        links[0],
        blocks,
        Bottleneck(internet.bottleneck),
    )


def segments() -> SegmentRing:
    """What hosts say through: AF_XDP, or packet rings where the machine has none for us; they cost more."""
    try:
        return SegmentRing(Port(INTERFACE).segments)
    except RefusedError:
        return segment_ring(sockets.packet_socket(INTERFACE, 0))


def link(address: str = VANTAGE_ADDRESS) -> Link:
    """The world's end of the pair: whose frames come from its MAC address and go to an address of the vantage."""
    return Link(_mac(WORLD_MAC), _mac(VANTAGE_MAC), parse(address, "here")[0])


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def main() -> None:
    """Play the internet of a specification."""
    spec = load(Path(sys.argv[1]))
    if spec.internet is None:
        sys.exit(f"{sys.argv[1]} has no [internet]")
    playing = player(spec, spec.internet, sys.argv[2:])
    signal.signal(signal.SIGTERM, playing.stop)
    print("ready", flush=True)
    playing.run()
    print(json.dumps(playing.counts()), flush=True)


if __name__ == "__main__":
    main()
