"""The receive ring (packet(7), PACKET_RX_RING, TPACKET_V2) as numpy views."""

import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.rings.filter import Step, attach_filter
from pipeline.rings.packet_ring import SOL_PACKET, map_ring
from pipeline.wire.intact import intact
from pipeline.wire.packet import SNAP, Answers

USER = 1
#: Frames that are looked at in one read: more than come between two of them, and few enough for what is copied to stay in the cache.
READ = 4096
#: A received frame that the kernel has judged, or whose checksum its sender left to a network card that never saw it.
JUDGED = 1 << 3 | 1 << 7  # TP_STATUS_CSUMNOTREADY, TP_STATUS_CSUM_VALID
NET_OFFSET = (
    80  # the kernel puts a received IP header at 32 (header) + 20 (sockaddr_ll) + 16 (link header), aligned to 16
)
RX_FRAME, RX_FRAMES = 2048, 16384
PACKET_RX_RING, PACKET_STATISTICS, PACKET_IGNORE_OUTGOING = 5, 6, 23
#: Our MSS is 1460, so no packet of a connection of ours is longer than this.
LONGEST = 1500


def _receive_type() -> np.dtype[np.void]:
    return np.dtype(
        {
            "names": ["status", "length", "snap_length", "net", "seconds", "nanoseconds", "packet", "long"],
            "formats": ["<u4", "<u4", "<u4", "<u2", "<u4", "<u4", ("u1", SNAP), ("u1", LONGEST)],
            "offsets": [0, 4, 8, 14, 16, 20, NET_OFFSET, NET_OFFSET],
            "itemsize": RX_FRAME,
        }
    )


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
        self._memory = map_ring(sock, PACKET_RX_RING, RX_FRAME, RX_FRAMES)
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
