"""Kernel packet rings (packet(7), PACKET_TX_RING and PACKET_RX_RING, TPACKET_V2) as numpy views.

The kernel walks the transmit ring frame by frame, so no frame is ever skipped: a batch is split at the ring's end.
"""

import errno
import mmap
import socket
import struct
import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CensusError
from pipeline.wire import segment
from pipeline.wire.packet import FRAME
from pipeline.wire.segment import Endpoints, Kind

SOL_PACKET = 263
PACKET_VERSION, PACKET_TX_RING = 10, 13
PACKET_QDISC_BYPASS = 20
TPACKET_V2 = 1
AVAILABLE, SEND_REQUEST, WRONG_FORMAT = 0, 1, 4
#: An interface that takes no frame for so many seconds is broken; between two looks it is given a little time.
STUCK_SECONDS, BREATH_SECONDS = 5.0, 0.00005
#: A queue has no room now, or has dropped a frame: the others are still to go.
BUSY = frozenset({errno.EAGAIN, errno.ENOBUFS, errno.EBUSY})
HEADER = 32  # struct tpacket2_hdr; a sent frame's bytes follow it
BLOCK = 1 << 16
TX_FRAME, TX_FRAMES = 128, 16384
#: Segments wait in a ring of their own: there are fewer of them, and they carry our requests.
SEGMENT_FRAME, SEGMENT_FRAMES = 2048, 4096
SEGMENT = np.dtype([("bytes", "u1", SEGMENT_FRAME - HEADER)])


def _transmit_type(frame: np.dtype[np.void], size: int) -> np.dtype[np.void]:
    return np.dtype(
        {
            "names": ["status", "length", "frame"],
            "formats": ["<u4", "<u4", frame],
            "offsets": [0, 4, HEADER],
            "itemsize": size,
        }
    )


def map_ring(sock: socket.socket, option: int, frame: int, frames: int) -> mmap.mmap:
    """Make a socket's ring of so many frames of a size in bytes, and map its memory (packet(7))."""
    blocks = frame * frames // BLOCK
    sock.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V2)
    sock.setsockopt(SOL_PACKET, option, struct.pack("IIII", BLOCK, blocks, frame, frames))
    return mmap.mmap(sock.fileno(), BLOCK * blocks)


class Transmits(Protocol):
    """A ring of frames to send, whatever the kernel calls it; `name` is that of the engine."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def rejected(self) -> int: ...  # noqa: D102
    def room(self, wanted: int) -> int: ...  # noqa: D102
    def frames(self, count: int) -> NDArray[np.void]: ...  # noqa: D102
    def lengths(self, count: int) -> NDArray[np.uint32]: ...  # noqa: D102
    def send(self, count: int) -> None: ...  # noqa: D102


class TransmitRing:
    """A ring of frames. `room` says how many can be filled at once, `frames` gives them, `send` hands them over."""

    name = "ring"

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
        """How many of so many frames are free from the head on, the ring's end excluded."""
        status = self._ring["status"][self._head : self._head + wanted]
        taken = np.flatnonzero((status != AVAILABLE) & (status != WRONG_FORMAT))
        return int(taken[0]) if len(taken) else len(status)

    def frames(self, count: int) -> NDArray[np.void]:
        """The next `count` frames, `count` at most `room()`."""
        chosen = self._ring[self._head : self._head + count]
        self.rejected += int((chosen["status"] == WRONG_FORMAT).sum())
        return chosen["frame"]

    def lengths(self, count: int) -> NDArray[np.uint32]:
        """The lengths in bytes of the next `count` frames, to be set."""
        chosen: NDArray[np.uint32] = self._ring["length"][self._head : self._head + count]
        return chosen

    def send(self, count: int) -> None:
        """Hand the next `count` frames to the kernel and wait until it has taken them.

        Where the interface drops one the kernel stops, and begins with that frame when it is called again.
        """
        self._ring["status"][self._head : self._head + count] = SEND_REQUEST
        self._head = (self._head + count) % len(self._ring)
        patience = time.monotonic() + STUCK_SECONDS
        while (refused := self._refused()) is not None:
            if refused.errno not in BUSY or time.monotonic() > patience:
                raise CensusError(f"the interface does not accept frames: {refused.strerror}")
            time.sleep(BREATH_SECONDS)

    def _refused(self) -> OSError | None:
        """Have the kernel send all that wait; why it did not."""
        try:
            self._socket.send(b"")
        except OSError as error:
            return error
        return None


class SegmentRing:
    """Segments of our connections, of any kind, over a ring of such frames."""

    def __init__(self, ring: Transmits) -> None:
        self._ring = ring
        self._ids = np.random.default_rng()

    @classmethod
    def over(cls, sock: socket.socket) -> "SegmentRing":
        """Over a packet ring of a socket."""
        return cls(TransmitRing(sock, SEGMENT, SEGMENT_FRAME, SEGMENT_FRAMES))

    def send(self, said: Sequence[tuple[Kind, Endpoints]]) -> None:
        """Send segments of each kind to its places, in this order."""
        if not said:
            return
        kinds, parts = zip(*said, strict=True)
        places, which = Endpoints.of_all(parts), np.repeat(np.arange(len(kinds)), [len(each.address) for each in parts])
        lengths = np.array([len(kind.frame) for kind in kinds])[which]
        done = 0
        while done < len(which):
            count = self._ring.room(len(which) - done)
            now = slice(done, done + count)
            ids = self._ids.integers(0, 65536, count, dtype=np.uint16)
            segment.fill(self._ring.frames(count)["bytes"], kinds, which[now], places.take(now), ids)
            self._ring.lengths(count)[:] = lengths[now]
            self._ring.send(count)
            done += count
