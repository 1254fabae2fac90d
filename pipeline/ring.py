"""Kernel packet rings (packet(7), PACKET_TX_RING and PACKET_RX_RING, TPACKET_V2) as numpy views.

The kernel walks the transmit ring frame by frame, so no frame is ever skipped: a batch is split at the ring's end.
"""

import ctypes
import errno
import mmap
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CensusError
from pipeline.wire import segment
from pipeline.wire.cookie import WHOLE, Slice
from pipeline.wire.intact import intact
from pipeline.wire.packet import FRAME, ICMP, ICMP_UNREACHABLE, SNAP, TCP, Answers
from pipeline.wire.segment import Kind, Places

SOL_PACKET = 263
PACKET_RX_RING, PACKET_STATISTICS, PACKET_VERSION, PACKET_TX_RING = 5, 6, 10, 13
PACKET_QDISC_BYPASS, PACKET_IGNORE_OUTGOING = 20, 23
SO_ATTACH_FILTER = 26
TPACKET_V2 = 1
AVAILABLE, SEND_REQUEST, WRONG_FORMAT = 0, 1, 4
USER = 1
#: An interface that takes no frame for so many seconds is broken; between two looks it is given a little time.
STUCK_SECONDS, BREATH_SECONDS = 5.0, 0.00005
#: A queue has no room now, or has dropped a frame: the others are still to go.
BUSY = frozenset({errno.EAGAIN, errno.ENOBUFS, errno.EBUSY})
#: Frames that are looked at in one read: more than come between two of them, and few enough for what is copied to stay in the cache.
READ = 4096
#: A received frame that the kernel has judged, or whose checksum its sender left to a network card that never saw it.
JUDGED = 1 << 3 | 1 << 7  # TP_STATUS_CSUMNOTREADY, TP_STATUS_CSUM_VALID
HEADER = 32  # struct tpacket2_hdr; a sent frame's bytes follow it
NET_OFFSET = (
    80  # the kernel puts a received IP header at 32 (header) + 20 (sockaddr_ll) + 16 (link header), aligned to 16
)
TX_FRAME, RX_FRAME, BLOCK = 128, 2048, 1 << 16
TX_FRAMES, RX_FRAMES = 16384, 16384
#: Our MSS is 1460, so no packet of a connection of ours is longer than this.
LONGEST = 1500
#: Segments wait in a ring of their own: there are fewer of them, and they carry our requests.
SEGMENT_FRAME, SEGMENT_FRAMES = 2048, 4096
SEGMENT = np.dtype([("bytes", "u1", SEGMENT_FRAME - HEADER)])


#: A step of classic BPF: code, jt, jf, k.
Step = tuple[int, int, int, int]


def _transmit_type(frame: np.dtype[np.void], size: int) -> np.dtype[np.void]:
    return np.dtype(
        {
            "names": ["status", "length", "frame"],
            "formats": ["<u4", "<u4", frame],
            "offsets": [0, 4, HEADER],
            "itemsize": size,
        }
    )


def _receive_type() -> np.dtype[np.void]:
    return np.dtype(
        {
            "names": ["status", "length", "snap_length", "net", "seconds", "nanoseconds", "packet", "long"],
            "formats": ["<u4", "<u4", "<u4", "<u2", "<u4", "<u4", ("u1", SNAP), ("u1", LONGEST)],
            "offsets": [0, 4, 8, 14, 16, 20, NET_OFFSET, NET_OFFSET],
            "itemsize": RX_FRAME,
        }
    )


def _map(sock: socket.socket, option: int, frame: int, frames: int) -> mmap.mmap:
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
        self._memory = _map(sock, PACKET_TX_RING, size, frames)
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
                raise CensusError(f"the interface does not take frames: {refused.strerror}")
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

    def send(self, said: Sequence[tuple[Kind, Places]]) -> None:
        """Send segments of each kind to its places, in this order."""
        if not said:
            return
        kinds, parts = zip(*said, strict=True)
        places, which = Places.of_all(parts), np.repeat(np.arange(len(kinds)), [len(each.address) for each in parts])
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


@dataclass(frozen=True, slots=True)
class Received:
    """Frames of one read: the first SNAP bytes of each IP packet, its length, and more of those that are longer."""

    packets: NDArray[np.uint8]
    lengths: NDArray[np.uint32]
    long: NDArray[np.uint8]
    """The first LONGEST bytes of the packets with more than SNAP, in their order; no more than the longest of them has."""
    seen_at: NDArray[np.float64]
    """When the kernel took each packet, in seconds since the epoch."""

    @classmethod
    def of(cls, frames: NDArray[np.void], place: NDArray[np.int64]) -> "Received":
        """Copies of what frames of a ring hold at these places."""
        lengths = frames["snap_length"][place] - np.uint32(14)
        is_long = place[lengths > SNAP]
        longest = int(lengths.max(initial=SNAP))
        long = frames["long"][:, : longest + longest % 2][is_long]
        seen_at = frames["seconds"][place] + frames["nanoseconds"][place] * 1e-9
        return cls(frames["packet"][place], lengths, long, seen_at)

    def take(self, chosen: NDArray[np.bool_]) -> "Received":
        """Those that are chosen."""
        long = self.long[chosen[self.lengths > SNAP]]
        return Received(self.packets[chosen], self.lengths[chosen], long, self.seen_at[chosen])

    def intact(self) -> NDArray[np.bool_]:
        """Which of them have arrived as they were sent."""
        is_long = self.lengths > SNAP
        held = np.empty(len(is_long), dtype=np.bool_)
        held[~is_long] = intact(self.packets[~is_long], self.lengths[~is_long])
        held[is_long] = intact(self.long, self.lengths[is_long])
        return held

    def payloads(self, answers: Answers) -> list[bytes]:
        """The peer's bytes in each of these packets."""
        return self.bytes_of(answers.frame, answers.begin, answers.size)

    def whole(self, frames: NDArray[np.int64]) -> list[bytes]:
        """All of these packets, from the IP header on; of one that came twice among them, one."""
        frames = np.unique(frames)
        lengths = self.lengths[frames].astype(np.uint16)
        return self.bytes_of(frames, np.zeros_like(lengths), lengths)

    def bytes_of(self, frames: NDArray[np.int64], begin: NDArray[np.uint16], size: NDArray[np.uint16]) -> list[bytes]:
        """So many bytes from a place on, in each of these packets; all of shape (n,)."""
        is_long, width = self.lengths > SNAP, self.long.shape[1]
        everything = self.packets.tobytes() + self.long.tobytes()
        first = np.where(is_long, self.packets.size + (np.cumsum(is_long) - 1) * width, np.arange(len(is_long)) * SNAP)
        last = (first + np.where(is_long, width, SNAP))[frames]
        begins = first[frames] + begin
        ends = np.minimum(begins + size, last)
        return [everything[begin:end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]


#: What is read where nothing waits.
NOTHING = Received.of(np.zeros(0, _receive_type()), np.zeros(0, np.int64))


class ReceiveRing:
    """A ring of received frames, read in runs from its head."""

    def __init__(self, sock: socket.socket, program: Sequence[Step] = ()) -> None:
        """Read what a filter program lets through; everything if there is none."""
        self.socket = sock
        self._program = attach_filter(sock, program) if program else None
        sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self._memory = _map(sock, PACKET_RX_RING, RX_FRAME, RX_FRAMES)
        self._ring = np.frombuffer(self._memory, dtype=_receive_type())
        self._status = self._ring["status"]
        self._head = 0
        self.dropped = self.truncated = self.corrupt = 0

    def read(self) -> Received:
        """Take frames that wait, READ at most, and give their slots back; broken ones are counted and left out."""
        if not self._status[self._head] & USER:
            return NOTHING
        waiting = self._status[self._head : self._head + READ] & USER
        gaps = np.flatnonzero(waiting == 0)
        count = int(gaps[0]) if len(gaps) else len(waiting)
        chosen = self._ring[self._head : self._head + count]
        whole = chosen["snap_length"] == chosen["length"]
        self.truncated += count - int(whole.sum())
        usable = np.flatnonzero(whole & (chosen["net"] == NET_OFFSET))
        received, judged = Received.of(chosen, usable), (chosen["status"][usable] & JUDGED) != 0
        chosen["status"] = 0
        self._head = (self._head + count) % RX_FRAMES
        held = judged | received.intact()
        self.corrupt += len(held) - int(held.sum())
        return received if held.all() else received.take(held)

    def count_drops(self) -> int:
        """Frames that found no room, since the socket was made."""
        _, drops = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        self.dropped += drops
        return self.dropped


def filter_program(our_address: int, ports: Slice = WHOLE) -> list[Step]:
    """Classic BPF: IPv4 to us without options that is TCP to our source ports, or ICMP unreachable that quotes them.

    Steps are (code, jt, jf, k).
    """
    load_half, load_byte, load_word = 0x28, 0x30, 0x20
    equal, at_least, above, jump, give = 0x15, 0x35, 0x25, 0x05, 0x06
    return [
        (load_half, 0, 0, 12),
        (equal, 0, 15, 0x0800),
        (load_byte, 0, 0, 14),
        (equal, 0, 13, 0x45),
        (load_word, 0, 0, 30),
        (equal, 0, 11, our_address),
        (load_byte, 0, 0, 23),
        (equal, 5, 0, TCP),
        (equal, 0, 8, ICMP),
        (load_byte, 0, 0, 34),
        (equal, 0, 6, ICMP_UNREACHABLE),
        (load_half, 0, 0, 62),
        (jump, 0, 0, 1),
        (load_half, 0, 0, 36),
        (at_least, 0, 2, ports.first),
        (above, 1, 0, ports.last),
        (give, 0, 0, 0xFFFF),
        (give, 0, 0, 0),
    ]


def attach_filter(sock: socket.socket, program: Sequence[Step]) -> ctypes.Array[ctypes.c_char]:
    """Set the filter; the returned buffer must live as long as the socket."""
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(program), ctypes.addressof(code)))
    return code
