"""Kernel packet rings (packet(7), PACKET_TX_RING, TPACKET_V2) as numpy views: the engine `ring`.

The kernel walks the transmit ring frame by frame, so no frame is ever skipped: a batch is split at the ring's end.
"""

import socket
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.engines import Engine
from pipeline.errors import CensusError
from pipeline.guard import sockets
from pipeline.rings.filter import Step
from pipeline.rings.memory import SOL_PACKET, map_ring
from pipeline.rings.open import Rings
from pipeline.rings.receive import ETH_P_ALL, ReceiveRing
from pipeline.rings.transmit import (
    BREATH_SECONDS,
    BUSY,
    HEADER,
    SEGMENT,
    SEGMENT_FRAME,
    STUCK_SECONDS,
    TX_FRAME,
    SegmentRing,
)
from pipeline.wire.packet import FRAME

PACKET_TX_RING, PACKET_QDISC_BYPASS = 13, 20
AVAILABLE, SEND_REQUEST, WRONG_FORMAT = 0, 1, 4
#: Segments have a ring of their own: there are fewer of them, and they carry our requests.
TX_FRAMES, SEGMENT_FRAMES = 16384, 4096


def open_rings(interface: str, frame: bytes, program: Sequence[Step]) -> Rings:
    """Open packet rings at an interface: every probe holds the frame, and a filter program selects what is received."""
    return Rings(
        TransmitRing.of_probes(sockets.packet_socket(interface, 0), frame),
        segment_ring(sockets.packet_socket(interface, 0)),
        ReceiveRing(sockets.packet_socket(interface, ETH_P_ALL), program),
    )


def segment_ring(sock: socket.socket) -> SegmentRing:
    """Segments over a packet ring of a socket."""
    return SegmentRing(TransmitRing(sock, SEGMENT, SEGMENT_FRAME, SEGMENT_FRAMES))


def _transmit_type(frame: np.dtype[np.void], size: int) -> np.dtype[np.void]:
    return np.dtype(
        {
            "names": ["status", "length", "frame"],
            "formats": ["<u4", "<u4", frame],
            "offsets": [0, 4, HEADER],
            "itemsize": size,
        }
    )


class TransmitRing:
    """A ring of frames of one size (`Transmits`)."""

    engine = Engine.RING

    def __init__(self, sock: socket.socket, frame: np.dtype[np.void], size: int, frames: int) -> None:
        self._socket = sock
        self._memory = map_ring(sock, PACKET_TX_RING, size, frames)
        sock.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        self._ring = np.frombuffer(self._memory, dtype=_transmit_type(frame, size))
        self._head = 0
        self.rejected = 0

    @classmethod
    def of_probes(cls, sock: socket.socket, template: bytes) -> "TransmitRing":
        """A ring in which every frame holds the template of a probe."""
        ring = cls(sock, FRAME, TX_FRAME, TX_FRAMES)
        ring._ring["frame"] = np.frombuffer(template, dtype=FRAME)[0]
        ring._ring["length"] = FRAME.itemsize
        return ring

    def room(self, wanted: int) -> int:
        """How many of the wanted frames are free, in a row from the head to the ring's end."""
        status = self._ring["status"][self._head : self._head + wanted]
        taken = np.flatnonzero((status != AVAILABLE) & (status != WRONG_FORMAT))
        return int(taken[0]) if len(taken) else len(status)

    def frames(self, count: int) -> NDArray[np.void]:
        """The next `count` frames, `count` at most `room()`."""
        following = self._ring[self._head : self._head + count]
        self.rejected += int((following["status"] == WRONG_FORMAT).sum())
        return following["frame"]

    def lengths(self, count: int) -> NDArray[np.uint32]:
        """The lengths in bytes of the next `count` frames, to be set."""
        lengths: NDArray[np.uint32] = self._ring["length"][self._head : self._head + count]
        return lengths

    def send(self, count: int) -> None:
        """Hand the next `count` frames to the kernel and wait until it has taken them. Raises CensusError.

        If the interface drops one the kernel stops, and begins with that frame when it is called again.
        """
        self._ring["status"][self._head : self._head + count] = SEND_REQUEST
        self._head = (self._head + count) % len(self._ring)
        patience = time.monotonic() + STUCK_SECONDS
        while (refused := self._flush()) is not None:
            if refused.errno not in BUSY or time.monotonic() > patience:
                raise CensusError(f"the interface does not accept frames: {refused.strerror}")
            time.sleep(BREATH_SECONDS)

    def _flush(self) -> OSError | None:
        """Have the kernel send all waiting frames; the error if it did not."""
        try:
            self._socket.send(b"")
        except OSError as error:
            return error
        return None
