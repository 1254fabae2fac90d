"""The receive ring (packet(7), PACKET_RX_RING, TPACKET_V2) as numpy views."""

import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.rings.filter import Step, attach_filter
from pipeline.rings.memory import SOL_PACKET, map_ring
from pipeline.wire.intact import intact
from pipeline.wire.packet import FIN, PSH, SNAP, Answers

#: The protocol of a packet socket that receives frames of every EtherType (linux/if_ether.h).
ETH_P_ALL = 3
USER = 1
#: The most frames that one read takes: more than come between two reads, and few enough for the copies to stay in the cache.
READ = 4096
#: A received frame that the kernel has checked, or whose checksum its sender left to a network card that never saw it.
CHECKED = 1 << 3 | 1 << 7  # TP_STATUS_CSUMNOTREADY, TP_STATUS_CSUM_VALID
#: Where the kernel puts a received IP header: 32 (header) + 20 (sockaddr_ll) + 16 (link header), aligned to 16.
NET_OFFSET = 80
RX_FRAME, RX_FRAMES = 2048, 16384
#: Where the TCP flags are in an IPv4 packet without options.
FLAGS = 33
PACKET_RX_RING, PACKET_STATISTICS, PACKET_IGNORE_OUTGOING = 5, 6, 23
#: A packet that is longer than this is several that a network card or the kernel has joined (LRO, GRO): our MSS is at most 1460.
#: It is cut; what we do not acknowledge the peer sends again.
LONGEST = RX_FRAME - NET_OFFSET


def _receive_type() -> np.dtype[np.void]:
    return np.dtype(
        {
            "names": ["status", "length", "snap_length", "mac", "net", "seconds", "nanoseconds", "packet", "long"],
            "formats": ["<u4", "<u4", "<u4", "<u2", "<u2", "<u4", "<u4", ("u1", SNAP), ("u1", LONGEST)],
            "offsets": [0, 4, 8, 12, 14, 16, 20, NET_OFFSET, NET_OFFSET],
            "itemsize": RX_FRAME,
        }
    )


@dataclass(frozen=True, slots=True)
class Received:
    """The IP packets of one read: the first SNAP bytes of each, its length, and more of those that are longer."""

    packets: NDArray[np.uint8]
    lengths: NDArray[np.uint32]
    long: NDArray[np.uint8]
    """The first LONGEST bytes of the packets with more than SNAP, in their order; no wider than the longest of them."""
    seen_at: NDArray[np.float64]
    """When the kernel took each packet, in seconds since the epoch."""

    @classmethod
    def of(cls, frames: NDArray[np.void], which: NDArray[np.int64]) -> "Received":
        """Copy the packets in the frames at these indices of a ring."""
        lengths = frames["snap_length"][which] - (frames["net"][which] - frames["mac"][which])
        is_long = which[lengths > SNAP]
        longest = int(lengths.max(initial=SNAP))
        long = frames["long"][:, : longest + longest % 2][is_long]
        seen_at = frames["seconds"][which] + frames["nanoseconds"][which] * 1e-9
        return cls(frames["packet"][which], lengths, long, seen_at)

    def take(self, which: NDArray[np.bool_]) -> "Received":
        """The packets that a mask keeps."""
        long = self.long[which[self.lengths > SNAP]]
        return Received(self.packets[which], self.lengths[which], long, self.seen_at[which])

    def cut(self, which: NDArray[np.bool_]) -> None:
        """Make these packets, of which only the first bytes are here, whole: with that length, and without the FIN at their end."""
        is_long = self.lengths > SNAP
        for rows, part in ((self.packets, which), (self.long, which[is_long])):
            short = self.lengths[which]
            rows[part, 2], rows[part, 3] = short >> np.uint32(8), short & np.uint32(0xFF)
            rows[part, FLAGS] &= np.uint8(~(FIN | PSH) & 0xFF)

    def intact(self) -> NDArray[np.bool_]:
        """Which packets have arrived as they were sent, by their checksums; shape (n,)."""
        is_long = self.lengths > SNAP
        arrived = np.empty(len(is_long), dtype=np.bool_)
        arrived[~is_long] = intact(self.packets[~is_long], self.lengths[~is_long])
        arrived[is_long] = intact(self.long, self.lengths[is_long])
        return arrived

    def payloads(self, answers: Answers) -> list[bytes]:
        """The peer's bytes in each of these packets."""
        return self.bytes_of(answers.frame, answers.begin, answers.size)

    def whole(self, frames: NDArray[np.int64]) -> list[bytes]:
        """The packets with these numbers, from the IP header on, each number once."""
        frames = np.unique(frames)
        lengths = self.lengths[frames].astype(np.uint16)
        return self.bytes_of(frames, np.zeros_like(lengths), lengths)

    def bytes_of(self, frames: NDArray[np.int64], begin: NDArray[np.uint16], size: NDArray[np.uint16]) -> list[bytes]:
        """`size` bytes of each of these packets, from its byte `begin` on; all of shape (n,). Never bytes of another packet."""
        is_long, width = self.lengths > SNAP, self.long.shape[1]
        everything = self.packets.tobytes() + self.long.tobytes()
        first = np.where(is_long, self.packets.size + (np.cumsum(is_long) - 1) * width, np.arange(len(is_long)) * SNAP)
        last = (first + np.where(is_long, width, SNAP))[frames]
        begins = first[frames] + begin
        ends = np.minimum(begins + size, last)
        return [everything[begin:end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]


#: The result of a read if no frame waits.
NOTHING = Received.of(np.zeros(0, _receive_type()), np.zeros(0, np.int64))


class ReceiveRing:
    """A ring of received frames, read in runs from its head."""

    def __init__(self, sock: socket.socket, program: Sequence[Step] = ()) -> None:
        """Read what a filter program lets through; everything without one."""
        self.socket = sock
        self._program = attach_filter(sock, program) if program else None
        sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self._memory = map_ring(sock, PACKET_RX_RING, RX_FRAME, RX_FRAMES)
        self._ring = np.frombuffer(self._memory, dtype=_receive_type())
        self._status = self._ring["status"]
        self._head = 0
        self.dropped = self.truncated = self.corrupt = 0

    @property
    def ready(self) -> bool:
        """A frame waits to be read."""
        return bool(self._status[self._head] & USER)

    @property
    def waiting(self) -> int:
        """How many frames wait to be read."""
        return int((self._status & USER).sum())

    def read(self) -> Received:
        """Take waiting frames, READ at most, and free their places; broken ones are counted and left out."""
        if not self.ready:
            return NOTHING
        waiting = self._status[self._head : self._head + READ] & USER
        gaps = np.flatnonzero(waiting == 0)
        count = int(gaps[0]) if len(gaps) else len(waiting)
        frames = self._ring[self._head : self._head + count]
        usable = np.flatnonzero(frames["net"] == NET_OFFSET)
        received, checked = Received.of(frames, usable), (frames["status"][usable] & CHECKED) != 0
        joined = frames["snap_length"][usable] < frames["length"][usable]
        frames["status"] = 0
        self._head = (self._head + count) % RX_FRAMES
        right = checked | (~joined & received.intact())
        if joined.any():
            self.truncated += int(joined.sum())
            received.cut(joined)
        self.corrupt += len(right) - int(right.sum())
        return received if right.all() else received.take(right)

    def count_drops(self) -> int:
        """How many frames found no room, since the socket was made."""
        _, drops = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        self.dropped += drops
        return self.dropped
