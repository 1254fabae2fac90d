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
from pipeline.rings.filter import RECEIVE_NOTHING, Step, attach_filter
from pipeline.rings.memory import SOL_PACKET, map_ring
from pipeline.rings.open import Rings
from pipeline.rings.receive import ETH_P_ALL, ReceiveRing
from pipeline.rings.transmit import (
    BREATH_SECONDS,
    BUSY,
    DOWN,
    HEADER,
    NONE_REFUSED,
    PATIENCE_SECONDS,
    SEGMENT,
    SEGMENT_FRAME,
    TX_FRAME,
    FilledRing,
    SegmentRing,
)
from pipeline.space.ranges import I64
from pipeline.wire.packet import FRAME, frame_type

PACKET_TX_RING, PACKET_QDISC_BYPASS = 13, 20
ETH_P_IP = 0x0800  # linux/if_ether.h
AVAILABLE, SEND_REQUEST, SENDING, WRONG_FORMAT = 0, 1, 2, 4
#: The kernel has a frame whose status has one of these bits.
TAKEN = SEND_REQUEST | SENDING
#: Segments have a ring of their own: there are fewer of them, and they carry our requests.
TX_FRAMES, SEGMENT_FRAMES = 16384, 4096


def open_rings(interface: str, frame: bytes, program: Sequence[Step]) -> Rings:
    """Open packet rings at an interface: every probe holds the frame, and a filter program selects what is received."""
    return Rings(
        FilledRing(TransmitRing.of_probes(_sending_socket(interface, frame), frame), frame),
        segment_ring(_sending_socket(interface, frame)),
        ReceiveRing(sockets.packet_socket(interface, ETH_P_ALL), program),
    )


def _sending_socket(interface: str, frame: bytes) -> socket.socket:
    """A socket that frames like this one leave through. Where they have no Ethernet header to say that they are IPv4, it says so."""
    if frame_type(len(frame)) is FRAME:
        return sockets.packet_socket(interface, 0)
    made = sockets.packet_socket(interface, ETH_P_IP)
    attach_filter(made, RECEIVE_NOTHING)
    return made


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
        kind = frame_type(len(template))
        ring = cls(sock, kind, TX_FRAME, TX_FRAMES)
        ring._ring["frame"] = np.frombuffer(template, dtype=kind)[0]
        ring._ring["length"] = kind.itemsize
        return ring

    def room(self, wanted: int) -> int:
        """How many of the wanted frames are free, in a row from the head to the ring's end."""
        status = self._ring["status"][self._head : self._head + wanted]
        taken = np.flatnonzero(status & TAKEN)
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

    def send(self, count: int) -> I64:
        """Hand the next `count` frames to the kernel and wait until it has taken them; which it has not. Raises CensusError.

        If the interface drops one the kernel stops, and begins with that frame when it is called again.
        """
        first, patience = self._head, time.monotonic() + PATIENCE_SECONDS
        self._ring["status"][first : first + count] = SEND_REQUEST
        self._head = (first + count) % len(self._ring)
        while (refused := self._flush()) is not None:
            if refused.errno not in DOWN | BUSY:
                raise CensusError(f"the interface does not accept frames: {refused.strerror}")
            if refused.errno in DOWN or time.monotonic() > patience:
                return self._take_back(first, count)
            time.sleep(BREATH_SECONDS)
        return NONE_REFUSED

    def _take_back(self, first: int, count: int) -> I64:
        """Free those of `count` frames that the kernel has not taken, all after the last that it has; their numbers."""
        status = self._ring["status"][first : first + count]
        left = np.flatnonzero(status == SEND_REQUEST)
        status[left] = AVAILABLE
        self.rejected += len(left)
        if len(left):
            self._head = first + int(left[0])
        return left

    def _flush(self) -> OSError | None:
        """Have the kernel send all waiting frames; the error if it did not."""
        try:
            self._socket.send(b"")
        except OSError as error:
            return error
        return None
