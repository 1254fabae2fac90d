"""AF_XDP sockets (the kernel's networking/af_xdp.rst) as numpy views, which send out of shared memory: the engine `xdp`.

Only sending goes this way. Descriptors on one ring say where a frame is, and another ring frees its place. Packets are received
through a packet ring, since AF_XDP needs a BPF program on the interface to receive. The kernel copies each frame; a driver with zero
copy would also take the queue's answers for itself (decision 12).
"""

import ctypes
import errno
import mmap
import os
import socket
import struct
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline import logs
from pipeline.engines import Engine
from pipeline.errors import CensusError
from pipeline.guard import sockets
from pipeline.rings import packet_ring
from pipeline.rings.filter import Step
from pipeline.rings.open import Rings
from pipeline.rings.receive import ETH_P_ALL, ReceiveRing
from pipeline.rings.transmit import (
    BREATH_SECONDS,
    BUSY,
    SEGMENT,
    SEGMENT_FRAME,
    STUCK_SECONDS,
    TX_FRAME,
    SegmentRing,
)
from pipeline.wire.packet import FRAME

SOL_XDP = 283  # linux/socket.h; what follows is of linux/if_xdp.h
XDP_MMAP_OFFSETS, XDP_TX_RING, XDP_UMEM_REG, XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING = 1, 3, 4, 5, 6
XDP_STATISTICS, XDP_MAX_TX_SKB_BUDGET = 7, 9
XDP_COPY = 1 << 1
TX_PAGES, COMPLETION_PAGES = 0x80000000, 0x180000000
DESCRIPTOR = np.dtype([("address", "<u8"), ("length", "<u4"), ("options", "<u4")])
#: Memory is registered in chunks of this size, and no frame lies in two of them.
CHUNK = 2048
#: Frames of each size. Together they lock 6 MB, within the 8 MB that a user may lock by default.
PROBES, SEGMENTS = 16384, 2048
#: Entries of each ring, a power of two: no fewer than there are frames, so that neither is ever full.
ENTRIES = 32768
#: No interface has more queues.
MOST_QUEUES = 1 << 16


class RefusedError(Exception):
    """This machine, or this interface of it, has no AF_XDP for us; the message says why."""


def open_rings(interface: str, frame: bytes, program: Sequence[Step]) -> Rings:
    """Open rings at an interface that send by AF_XDP; packet rings, with a warning, if the machine refuses."""
    try:
        port = Port(interface)
    except RefusedError as error:
        logs.warning(f"no AF_XDP on {error}; frames leave through packet rings")
        return packet_ring.open_rings(interface, frame, program)
    receive = ReceiveRing(sockets.packet_socket(interface, ETH_P_ALL), program)
    return Rings(port.probes.with_template(frame), SegmentRing(port.segments), receive)


class _Ring:
    """One of a socket's rings: entries, and how many were ever produced and consumed, modulo 2^32."""

    def __init__(self, sock: socket.socket, offsets: tuple[int, ...], pages: int, entry: np.dtype[np.generic]) -> None:
        producer, consumer, entries, _flags = offsets
        self._memory = mmap.mmap(sock.fileno(), entries + ENTRIES * entry.itemsize, offset=pages)
        self.producer = np.frombuffer(self._memory, "<u4", 1, producer)
        self.consumer = np.frombuffer(self._memory, "<u4", 1, consumer)
        self.entries = np.frombuffer(self._memory, entry, ENTRIES, entries)

    @property
    def waiting(self) -> int:
        """How many entries are produced and not consumed."""
        return int((self.producer - self.consumer)[0])

    def following(self, counter: NDArray[np.uint32], count: int) -> NDArray[np.uint32]:
        """The indices of the `count` entries that come after a producer's or consumer's counter."""
        following: NDArray[np.uint32] = np.arange(count, dtype=np.uint32)
        following += counter
        following &= np.uint32(ENTRIES - 1)
        return following


class Port:
    """A socket of one queue of an interface. Its memory has the frames of probes first, and then those of segments."""

    def __init__(self, interface: str) -> None:
        """Take a free queue of the interface. Raises RefusedError."""
        try:
            self._socket = sockets.xdp_socket(interface)
            self._memory = _registered(self._socket)
            self._sent, self._done = _rings(self._socket)
            index = sockets.at_vantage(lambda: socket.if_nametoindex(interface))
            _bind(self._socket, index)
        except OSError as error:
            raise RefusedError(f"{interface}: {error.strerror}") from None
        begin = PROBES * TX_FRAME
        self.probes = XdpRing(self, self._memory, FRAME, TX_FRAME, PROBES, 0)
        self.segments = XdpRing(self, self._memory, SEGMENT, SEGMENT_FRAME, SEGMENTS, begin)
        self._dropped = 0

    @property
    def rejected(self) -> int:
        """Frames that the kernel found invalid, or that the interface dropped."""
        statistics = struct.unpack("<6Q", self._socket.getsockopt(SOL_XDP, XDP_STATISTICS, 48))
        return int(statistics[2]) + self._dropped

    def reap(self) -> None:
        """Free the frames that have left."""
        ring = self._done
        if count := ring.waiting:
            addresses = ring.entries[ring.following(ring.consumer, count)]
            ring.consumer += np.uint32(count)
            for frames in (self.probes, self.segments):
                frames.release(addresses)

    def send(self, addresses: NDArray[np.uint64], lengths: NDArray[np.uint32]) -> None:
        """Hand frames to the kernel and wait until it has taken them; both of shape (n,). Raises CensusError."""
        ring = self._sent
        following = ring.following(ring.producer, len(addresses))
        ring.entries["address"][following] = addresses
        ring.entries["length"][following] = lengths
        ring.producer += np.uint32(len(addresses))
        moved, waiting = time.monotonic(), ring.waiting
        while waiting:
            self._wake()
            left = ring.waiting
            if left == waiting:
                if time.monotonic() - moved > STUCK_SECONDS:
                    raise CensusError(f"the interface has accepted no frame for {STUCK_SECONDS:.0f} s")
                time.sleep(BREATH_SECONDS)
            else:
                moved = time.monotonic()
            waiting = left

    def _wake(self) -> None:
        """Have the kernel take frames."""
        try:
            self._socket.send(b"", socket.MSG_DONTWAIT)
        except OSError as error:
            if error.errno not in BUSY:
                raise CensusError(f"the interface does not accept frames: {error.strerror}") from None
            self._dropped += error.errno == errno.EBUSY


class XdpRing:
    """Frames of one size, used in turn (`Transmits`)."""

    engine = Engine.XDP

    def __init__(
        self, port: Port, memory: mmap.mmap, frame: np.dtype[np.void], size: int, count: int, begin: int
    ) -> None:
        slot = np.dtype({"names": ["frame"], "formats": [frame], "offsets": [0], "itemsize": size})
        self._port, self._begin, self._size, self._head = port, np.uint64(begin), np.uint64(size), 0
        self._ring = np.frombuffer(memory, slot, count, begin)["frame"]
        self._lengths = np.zeros(count, dtype=np.uint32)
        self._addresses = np.arange(begin, begin + count * size, size, dtype=np.uint64)
        self._free = np.ones(count, dtype=np.bool_)

    def with_template(self, template: bytes) -> "XdpRing":
        """Put a template into every frame; the same ring."""
        self._ring[:] = np.frombuffer(template, dtype=self._ring.dtype)[0]
        self._lengths[:] = len(template)
        return self

    @property
    def rejected(self) -> int:
        """How many frames of the port have not left."""
        return self._port.rejected

    def room(self, wanted: int) -> int:
        """How many of the wanted frames are free, in a row from the head to the ring's end."""
        self._port.reap()
        free = self._free[self._head : self._head + wanted]
        taken = np.flatnonzero(~free)
        return int(taken[0]) if len(taken) else len(free)

    def frames(self, count: int) -> NDArray[np.void]:
        """The next `count` frames, `count` at most `room()`."""
        return self._ring[self._head : self._head + count]

    def lengths(self, count: int) -> NDArray[np.uint32]:
        """The lengths in bytes of the next `count` frames, to be set."""
        return self._lengths[self._head : self._head + count]

    def send(self, count: int) -> None:
        """Hand the next `count` frames to the kernel and wait until it has taken them. Raises CensusError."""
        following = slice(self._head, self._head + count)
        self._free[following] = False
        self._head = (self._head + count) % len(self._ring)
        self._port.send(self._addresses[following], self._lengths[following])

    def release(self, addresses: NDArray[np.uint64]) -> None:
        """Free the frames at these addresses that are of this ring."""
        # An address before the ring's beginning wraps around, to an index behind its end.
        index = (addresses - self._begin) // self._size
        self._free[index[index < len(self._ring)]] = True


def _registered(sock: socket.socket) -> mmap.mmap:
    """Register memory for all frames, which the kernel reads."""
    memory = mmap.mmap(-1, PROBES * TX_FRAME + SEGMENTS * SEGMENT_FRAME)
    address = np.frombuffer(memory, np.uint8).ctypes.data
    sock.setsockopt(SOL_XDP, XDP_UMEM_REG, struct.pack("<QQIIII", address, len(memory), CHUNK, 0, 0, 0))
    return memory


def _rings(sock: socket.socket) -> tuple[_Ring, _Ring]:
    """Make the ring of frames to send, and that of frames sent. A third, for frames to be filled, must exist and stays empty."""
    for option in (XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_TX_RING):
        sock.setsockopt(SOL_XDP, option, ENTRIES)
    try:
        sock.setsockopt(SOL_XDP, XDP_MAX_TX_SKB_BUDGET, ENTRIES)
    except OSError:
        pass  # Linux before 6.17 copies 32 frames a call, and cannot be told otherwise
    offsets = struct.unpack("<16Q", sock.getsockopt(SOL_XDP, XDP_MMAP_OFFSETS, 128))  # of rx, tx, fill, completion
    return (
        _Ring(sock, offsets[4:8], TX_PAGES, DESCRIPTOR),
        _Ring(sock, offsets[12:16], COMPLETION_PAGES, np.dtype("<u8")),
    )


def _bind(sock: socket.socket, index: int) -> None:
    """Bind to the first free queue. Raises OSError: EBUSY if there is none, or why the first was refused."""
    libc = ctypes.CDLL(None, use_errno=True)
    refused = errno.EBUSY
    for queue in range(MOST_QUEUES):
        address = struct.pack("<HHIII", sockets.AF_XDP, XDP_COPY, index, queue, 0)  # struct sockaddr_xdp
        if libc.bind(sock.fileno(), address, len(address)) == 0:
            return
        refused = ctypes.get_errno()
        if refused != errno.EBUSY:
            refused = errno.EBUSY if queue else refused
            break
    raise OSError(refused, os.strerror(refused))
