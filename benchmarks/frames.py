"""The minimum cost of a greeting: its frames, sent and received through the program's rings by two ends that do not read them.

The figure is mostly the kernel's share. Every frame is filled once and sent again and again; received frames are freed
unread, a tick's greetings at a time. `benchmarks.greetings` gives the number of frames of a greeting.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from benchmarks.af_xdp import BlindSocket
from benchmarks.send import PORT, template
from pipeline.engines import Engine
from pipeline.guard import sockets
from pipeline.probe.rst_filter import suppress_resets
from pipeline.rings.filter import filter_program
from pipeline.rings.packet_ring import SEGMENT_FRAMES, TX_FRAMES, TransmitRing
from pipeline.rings.receive import ETH_P_ALL, RX_FRAMES, USER, ReceiveRing
from pipeline.rings.transmit import SEGMENT, SEGMENT_FRAME, Transmits
from pipeline.rings.xdp import Port, RefusedError
from pipeline.testbed.closed import VANTAGE_ADDRESS, NamespacePair, inside
from pipeline.testbed.internet.serve import link
from pipeline.wire import packet, segment
from pipeline.wire.cookie import Secret, bake
from pipeline.wire.outgoing import class_uid, encode
from pipeline.wire.packet import ACK, PSH, Link
from pipeline.wire.segment import Endpoints, Kind

#: Greetings of a round; the number of rounds, and the rounds that are in flight at once.
GREETINGS, ROUNDS, AHEAD = 400, 250, 2
#: How long an end waits between two looks, and how long until missing frames count as lost, in seconds.
LOOK, LOST = 0.0005, 1.0
#: The kinds of frames of a greeting, in the order of an end's arguments: three of ours, and the peer's.
KINDS = ("probes", "requests", "segments", "answers")


class BlindRing(ReceiveRing):
    """A ring of received frames that are not read."""

    def skip(self) -> int:
        """Free the waiting frames; return their number."""
        status = self._ring["status"][self._head :]
        gaps = np.flatnonzero((status & USER) == 0)
        count = int(gaps[0]) if len(gaps) else len(status)
        status[:count] = 0
        self._head = (self._head + count) % RX_FRAMES
        return count


@dataclass(slots=True)
class Blind:
    """Frees frames as they arrive, in whatever way they do."""

    way: BlindRing | BlindSocket
    ahead: int = 0

    def wait(self, wanted: int) -> None:
        """Free `wanted` frames as they arrive; return when all have arrived, or when none has arrived for a while."""
        until = time.monotonic() + LOST
        self.ahead -= wanted
        while self.ahead < 0 and time.monotonic() < until:
            if came := self.way.skip():
                self.ahead, until = self.ahead + came, time.monotonic() + LOST
            time.sleep(LOOK)
        self.ahead = max(0, self.ahead)


def endpoints(count: int) -> Endpoints:
    """The endpoints of `count` frames."""
    addresses, ports = (11 << 24) + np.arange(count, dtype=np.uint32), np.full(count, PORT, dtype=np.uint16)
    cookie = bake(Secret.of(bytes(8)), addresses, ports)
    return Endpoints(addresses, ports, cookie.source_port, cookie.sequence, cookie.sequence)


def rings(engine: str, interface: str) -> tuple[Transmits, Transmits]:
    """An engine's rings for probes and for segments; packet rings if the machine refuses AF_XDP, as in a sweep."""
    if engine == Engine.XDP:
        try:
            port = Port(interface)
            return port.probes.with_template(template()), port.segments
        except RefusedError:
            pass
    probes, segments = (sockets.packet_socket(interface, 0) for _ in range(2))
    return TransmitRing.of_probes(probes, template()), TransmitRing(segments, SEGMENT, SEGMENT_FRAME, SEGMENT_FRAMES)


def receiver(way: str, interface: str, source: int) -> BlindRing | BlindSocket:
    """What the vantage receives by: a packet ring, as all engines do, or AF_XDP."""
    if way == Engine.XDP:
        return BlindSocket(interface)
    return BlindRing(sockets.packet_socket(interface, ETH_P_ALL), filter_program(source))


def fill_probes(ring: Transmits) -> None:
    """Fill a ring with probes."""
    count = ring.room(TX_FRAMES)
    to, ids = endpoints(count), np.zeros(count, dtype=np.uint16)
    cookie = bake(Secret.of(bytes(8)), to.address, to.port)
    packet.fill(ring.frames(count), packet.Sums.over(template()), to.address, to.port, cookie, ids)


def fill_segments(ring: Transmits, kinds: Sequence[Kind], shares: Sequence[float]) -> None:
    """Fill a ring with segments: a share of each kind, in random order."""
    count = ring.room(SEGMENT_FRAMES)
    bounds = [round(count * bound / sum(shares)) for bound in accumulate(shares)]
    which = np.searchsorted(bounds, np.arange(count), side="right")
    frames = np.zeros((count, SEGMENT["bytes"].shape[0]), dtype=np.uint8)
    segment.fill(frames, kinds, which, endpoints(count), np.zeros(count, dtype=np.uint16))
    order = np.random.default_rng(1).permutation(count)
    ring.frames(count)["bytes"][:] = frames[order]
    ring.lengths(count)[:] = np.array([len(kind.frame) for kind in kinds])[which[order]]


def send(ring: Transmits, each: float) -> None:
    """Send a round's frames again; a greeting has `each` of them."""
    left = round(GREETINGS * each)
    while left:
        count = ring.room(left)
        ring.send(count)
        left -= count


def vantage(engine: str, way: str, has: dict[str, float]) -> float:
    """Play the sender; return seconds of CPU."""
    there = link()
    here = Link(there.gateway_mac, there.source_mac, there.source)
    request = encode(calling_ae="DICOM-CENSUS", class_uid=class_uid("https://census.example.org/")).request
    probes, segments = rings(engine, "vantage0")
    fill_probes(probes)
    fill_segments(segments, [Kind.of(here, ACK | PSH, request), Kind.of(here, ACK)], [has["requests"], has["segments"]])
    receive = Blind(receiver(way, "vantage0", here.source))
    with suppress_resets("vantage0", VANTAGE_ADDRESS, [PORT]):
        print("ready", flush=True)
        sys.stdin.readline()
        began = time.process_time()
        for number in range(ROUNDS):
            send(probes, has["probes"])
            send(segments, has["requests"] + has["segments"])
            if number >= AHEAD:
                receive.wait(round(GREETINGS * has["answers"]))
    return time.process_time() - began


def world(_: str, way: str, has: dict[str, float]) -> float:
    """Play the hosts, through AF_XDP as the simulated internet does; return seconds of CPU."""
    _, segments = rings(Engine.XDP, "world0")
    fill_segments(segments, [Kind.of(link(), ACK, played=True)], [1.0])
    receive = Blind(BlindRing(sockets.packet_socket("world0", ETH_P_ALL)))
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.process_time()
    for _ in range(ROUNDS):
        receive.wait(sum(round(GREETINGS * each) for each in (has["probes"], has["requests"] + has["segments"])))
        send(segments, has["answers"])
    return time.process_time() - began


ENDS = {"vantage": vantage, "world": world}


def least(
    pair: NamespacePair,
    engine: str,
    has: dict[str, float],
    environment: dict[str, str],
    *,
    receive: Engine = Engine.RING,
) -> float:
    """Microseconds of CPU that the frames of a greeting take at both ends together, sent through the rings of an engine."""
    given = [engine, receive, *(str(has[kind]) for kind in KINDS)]
    ends = [
        subprocess.Popen(
            [*inside(getattr(pair, name)), sys.executable, "-m", "benchmarks.frames", name, *given],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in ENDS
    ]  # fmt: skip
    for end in ends:
        if not end.stdout or end.stdout.readline() != "ready\n":
            raise SystemExit("an end of the pair does not play")
    for end in ends[::-1]:
        end.stdin.write("go\n")
        end.stdin.flush()
    return 1e6 * sum(float(end.communicate(timeout=60)[0]) for end in ends) / ROUNDS / GREETINGS


if __name__ == "__main__":
    print(ENDS[sys.argv[1]](*sys.argv[2:4], dict(zip(KINDS, map(float, sys.argv[4:]), strict=True))))
