"""What a sender's frames leave and come through, by the name of its engine: a table of rings that are used alike."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.guard import sockets
from pipeline.rings.filter import Step
from pipeline.rings.packet_ring import SegmentRing, TransmitRing, Transmits
from pipeline.rings.receive import ReceiveRing
from pipeline.rings.xdp import Port, RefusedError

ETH_P_ALL = 3


@dataclass(frozen=True, slots=True)
class Rings:
    """What an engine sends probes and segments through, and what it hears."""

    probes: Transmits
    segments: SegmentRing
    receive: ReceiveRing


def packet_rings(interface: str, frame: bytes, program: Sequence[Step]) -> Rings:
    """Packet rings of an interface: every probe holds a frame, and a filter program chooses what is heard."""
    return Rings(
        TransmitRing.of_probes(sockets.packet_socket(interface, 0), frame),
        SegmentRing.over(sockets.packet_socket(interface, 0)),
        ReceiveRing(sockets.packet_socket(interface, ETH_P_ALL), program),
    )


def xdp_rings(interface: str, frame: bytes, program: Sequence[Step]) -> Rings:
    """The same with AF_XDP for what is sent; where the machine has none for us it says so, and packet rings it is."""
    try:
        port = Port(interface)
    except RefusedError as error:
        print(f"warning: no AF_XDP on {error}; frames leave through packet rings", file=sys.stderr, flush=True)
        return packet_rings(interface, frame, program)
    receive = ReceiveRing(sockets.packet_socket(interface, ETH_P_ALL), program)
    return Rings(port.probes.holding(frame), SegmentRing(port.segments), receive)


#: The rings of each engine that has some.
RINGS: dict[str, Callable[[str, bytes, Sequence[Step]], Rings]] = {"ring": packet_rings, "xdp": xdp_rings}
