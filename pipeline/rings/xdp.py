"""AF_XDP sockets (the kernel's networking/af_xdp.rst) as numpy views: frames are sent out of memory that is shared with the kernel.

Sending alone goes this way: descriptors on a ring tell where a frame lies, and another ring gives its place back. What is received
comes through a packet ring, since reading by AF_XDP needs a BPF program on the interface. The kernel copies each frame; a driver
with zero copy would also take the queue's answers for itself (decision 12).
"""

import ctypes
import errno
import mmap
import os
import socket
import struct
import time

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CensusError
from pipeline.guard import sockets
from pipeline.rings.packet_ring import BREATH_SECONDS, BUSY, SEGMENT, SEGMENT_FRAME, STUCK_SECONDS, TX_FRAME
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
    """This machine, or this interface of it, has no AF_XDP for us; why."""


class _Ring:
    """One of a socket's rings: entries, and two positions that only grow, modulo 2^32."""

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

    def places(self, position: NDArray[np.uint32], count: int) -> NDArray[np.uint32]:
        """Where the next `count` entries from a position on are."""
        following: NDArray[np.uint32] = np.arange(count, dtype=np.uint32)
        following += position
        following &= np.uint32(ENTRIES - 1)
        return following


class Port:
    """A socket of one queue of an interface. Its memory holds the frames of probes, and after them those of segments."""

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
        """Give back the places of frames that have left."""
        ring = self._done
        if count := ring.waiting:
            addresses = ring.entries[ring.places(ring.consumer, count)]
            ring.consumer += np.uint32(count)
            for frames in (self.probes, self.segments):
                frames.give_back(addresses)

    def send(self, addresses: NDArray[np.uint64], lengths: NDArray[np.uint32]) -> None:
        """Hand frames to the kernel and wait until it has taken them; both of shape (n,). Raises CensusError."""
        ring = self._sent
        chosen = ring.places(ring.producer, len(addresses))
        ring.entries["address"][chosen] = addresses
        ring.entries["length"][chosen] = lengths
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
    """Frames of one size, used in turn, as `ring.TransmitRing` has them."""

    name = "xdp"

    def __init__(
        self, port: Port, memory: mmap.mmap, frame: np.dtype[np.void], size: int, count: int, begin: int
    ) -> None:
        slot = np.dtype({"names": ["frame"], "formats": [frame], "offsets": [0], "itemsize": size})
        self._port, self._begin, self._size, self._head = port, np.uint64(begin), np.uint64(size), 0
        self._ring = np.frombuffer(memory, slot, count, begin)["frame"]
        self._lengths = np.zeros(count, dtype=np.uint32)
        self._addresses = np.arange(begin, begin + count * size, size, dtype=np.uint64)
        self._free = np.ones(count, dtype=np.bool_)

    def holding(self, template: bytes) -> "XdpRing":
        """The same ring, with a template in every frame."""
        self._ring[:] = np.frombuffer(template, dtype=self._ring.dtype)[0]
        self._lengths[:] = len(template)
        return self

    @property
    def rejected(self) -> int:
        """Frames of the port that have not left."""
        return self._port.rejected

    def room(self, wanted: int) -> int:
        """How many of so many frames are free from the head on, the ring's end excluded."""
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
        """Hand the next `count` frames to the kernel and wait until it has taken them."""
        chosen = slice(self._head, self._head + count)
        self._free[chosen] = False
        self._head = (self._head + count) % len(self._ring)
        self._port.send(self._addresses[chosen], self._lengths[chosen])

    def give_back(self, addresses: NDArray[np.uint64]) -> None:
        """Those of these frames that are of this ring are free again."""
        place = (
            addresses - self._begin
        ) // self._size  # those before its beginning wrap around, and lie behind its end
        self._free[place[place < len(self._ring)]] = True


def _registered(sock: socket.socket) -> mmap.mmap:
    """Memory for all frames that the kernel may read."""
    memory = mmap.mmap(-1, PROBES * TX_FRAME + SEGMENTS * SEGMENT_FRAME)
    address = np.frombuffer(memory, np.uint8).ctypes.data
    sock.setsockopt(SOL_XDP, XDP_UMEM_REG, struct.pack("<QQIIII", address, len(memory), CHUNK, 0, 0, 0))
    return memory


def _rings(sock: socket.socket) -> tuple[_Ring, _Ring]:
    """The ring of frames to send, and that of frames sent; the third one, for frames to fill, must be there and stays empty."""
    for option in (XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_TX_RING):
        sock.setsockopt(SOL_XDP, option, ENTRIES)
    try:
        sock.setsockopt(SOL_XDP, XDP_MAX_TX_SKB_BUDGET, ENTRIES)
    except OSError:
        pass  # Linux before 6.17 copies 32 frames a call, whatever one would like
    offsets = struct.unpack("<16Q", sock.getsockopt(SOL_XDP, XDP_MMAP_OFFSETS, 128))  # of rx, tx, fill, completion
    return (
        _Ring(sock, offsets[4:8], TX_PAGES, DESCRIPTOR),
        _Ring(sock, offsets[12:16], COMPLETION_PAGES, np.dtype("<u8")),
    )


def _bind(sock: socket.socket, index: int) -> None:
    """Bind to the first queue that nobody has. Raises OSError: EBUSY if there is none, or what speaks against the first."""
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
