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
    DOWN,
    NONE_REFUSED,
    PATIENCE_SECONDS,
    SEGMENT,
    SEGMENT_FRAME,
    TX_FRAME,
    FilledRing,
    RefusedError,
    SegmentRing,
)
from pipeline.space.ranges import I64
from pipeline.wire.packet import FRAME, frame_type

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
#: No frame is there: the kernel leaves a descriptor with this address out, and counts it as invalid.
NOWHERE = np.uint64(2**64 - 1)
#: No interface has more queues.
MOST_QUEUES = 1 << 16


def open_rings(interface: str, frame: bytes, program: Sequence[Step]) -> Rings:
    """Open rings at an interface that send by AF_XDP; packet rings, with a warning, if the machine refuses."""
    try:
        if frame_type(len(frame)) is not FRAME:
            raise RefusedError(f"{interface}: its frames have no Ethernet header")
        port = Port(interface)
    except RefusedError as error:
        logs.warning(f"no AF_XDP on {error}; frames leave through packet rings")
        return packet_ring.open_rings(interface, frame, program)
    receive = ReceiveRing(sockets.packet_socket(interface, ETH_P_ALL), program)
    return Rings(FilledRing(port.probes.with_template(frame), frame), SegmentRing(port.segments), receive)


def unavailable() -> str:
    """Why this process can have no AF_XDP socket with its memory at the vantage; empty if it can, once a queue is free."""
    try:
        with sockets.unbound(sockets.AF_XDP) as sock:
            _registered(sock)
    except OSError as error:
        return f"AF_XDP: {error.strerror}"
    return ""


class Ring:
    """One of a socket's rings: entries, and how many were ever produced and consumed, modulo 2^32."""

    def __init__(
        self,
        sock: socket.socket,
        offsets: tuple[int, ...],
        pages: int,
        entry: np.dtype[np.generic],
        size: int = ENTRIES,
    ) -> None:
        producer, consumer, entries, _flags = offsets
        self._memory = mmap.mmap(sock.fileno(), entries + size * entry.itemsize, offset=pages)
        self.producer = np.frombuffer(self._memory, "<u4", 1, producer)
        self.consumer = np.frombuffer(self._memory, "<u4", 1, consumer)
        self.entries = np.frombuffer(self._memory, entry, size, entries)

    @property
    def waiting(self) -> int:
        """How many entries are produced and not consumed."""
        return int((self.producer - self.consumer)[0])

    def following(self, counter: NDArray[np.uint32], count: int) -> NDArray[np.uint32]:
        """The indices of the `count` entries that come after a producer's or consumer's counter."""
        following: NDArray[np.uint32] = np.arange(count, dtype=np.uint32)
        following += counter
        following &= np.uint32(len(self.entries) - 1)
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
        self._taken = 0
        self._dropped = self._withdrawn = 0

    @property
    def rejected(self) -> int:
        """Frames that the kernel found invalid, that the interface dropped, or that were taken back since it took none."""
        statistics = struct.unpack("<6Q", self._socket.getsockopt(SOL_XDP, XDP_STATISTICS, 48))
        invalid = int(statistics[2])
        return max(invalid, self._withdrawn) + self._dropped

    def reap(self) -> None:
        """Free the frames that have left."""
        ring = self._done
        if count := ring.waiting:
            addresses = ring.entries[ring.following(ring.consumer, count)]
            ring.consumer += np.uint32(count)
            for frames in (self.probes, self.segments):
                frames.release(addresses)

    def send(self, addresses: NDArray[np.uint64], lengths: NDArray[np.uint32]) -> I64:
        """Hand frames to the kernel and wait until it has taken them; both of shape (n,). Raises CensusError.

        Returns the indices of those that have not left: those that the interface dropped, and the rest if it is down or takes none.
        """
        ring, count = self._sent, len(addresses)
        following = ring.following(ring.producer, count)
        ring.entries["address"][following] = addresses
        ring.entries["length"][following] = lengths
        begin = int(ring.producer[0])
        ring.producer += np.uint32(count)
        dropped, moved = [], time.monotonic()
        self._taken = 0
        while self._taken < count:
            before = self._taken
            refused = self._wake(begin)
            if refused == errno.EBUSY:
                dropped.append(self._taken - 1)
            if self._taken > before and refused != errno.EBUSY:
                moved = time.monotonic()
            elif refused in DOWN or time.monotonic() - moved > PATIENCE_SECONDS:
                dropped += range(self._taken, count)
                self._withdraw(following[self._taken :])
                break
            elif self._taken == before:
                time.sleep(BREATH_SECONDS)
        return np.array(dropped, dtype=np.int64) if dropped else NONE_REFUSED

    def _wake(self, begin: int) -> int:
        """Have the kernel take frames of those from `begin` on, and note how many it has; 0, or why it stopped.

        After EBUSY the last that it has taken was dropped. If that was the first of a call, the kernel does not say so on the ring.
        """
        refused = 0
        try:
            self._socket.send(b"", socket.MSG_DONTWAIT)
        except OSError as error:
            refused = error.errno or 0
            if refused not in DOWN | BUSY:
                raise CensusError(f"the interface does not accept frames: {error.strerror}") from None
        shown = (int(self._sent.consumer[0]) - begin) % 2**32
        shown = shown if shown < ENTRIES else 0
        if refused == errno.EBUSY:
            self._dropped += 1
            self._taken = max(shown, self._taken + 1)
        else:
            self._taken = max(shown, self._taken)
        return refused

    def _withdraw(self, following: NDArray[np.uint32]) -> None:
        """Spoil descriptors that the kernel has not taken: when it wakes next it leaves them out, and frees no frame of theirs."""
        addresses = self._sent.entries["address"][following]
        self._sent.entries["address"][following] = NOWHERE
        self._withdrawn += len(following)
        for frames in (self.probes, self.segments):
            frames.release(addresses)


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

    def send(self, count: int) -> I64:
        """Hand the next `count` frames to the kernel and wait until it has taken them; which have not left. Raises CensusError."""
        following = slice(self._head, self._head + count)
        self._free[following] = False
        self._head = (self._head + count) % len(self._ring)
        return self._port.send(self._addresses[following], self._lengths[following])

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


def _rings(sock: socket.socket) -> tuple[Ring, Ring]:
    """Make the ring of frames to send, and that of frames sent. A third, for frames to be filled, must exist and stays empty."""
    for option in (XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_TX_RING):
        sock.setsockopt(SOL_XDP, option, ENTRIES)
    try:
        sock.setsockopt(SOL_XDP, XDP_MAX_TX_SKB_BUDGET, ENTRIES)
    except OSError:
        pass  # Linux before 6.17 copies 32 frames a call, and cannot be told otherwise
    offsets = struct.unpack("<16Q", sock.getsockopt(SOL_XDP, XDP_MMAP_OFFSETS, 128))  # of rx, tx, fill, completion
    return (
        Ring(sock, offsets[4:8], TX_PAGES, DESCRIPTOR),
        Ring(sock, offsets[12:16], COMPLETION_PAGES, np.dtype("<u8")),
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
