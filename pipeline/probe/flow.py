"""One TCP connection of ours in user space (RFC 9293 §3.10.7.4), for a host whose first bytes may be DICOM's.

It puts the peer's bytes in order, sends once a second again what is not acknowledged, and has the conversation on top. When it
begins, the handshake and the sending of the request are over. Sans I/O: segments and the time go in, segments come out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from pipeline.record.visit import Visit
from pipeline.wire.packet import ACK, FIN, PSH, RST

#: How many bytes of segments that came too early are kept; a conversation takes 16 KiB at most.
AHEAD = 32 * 1024
RETRANSMIT_US = 1_000_000
MODULUS = 1 << 32


class Talk(Protocol):
    """The conversation: what happened goes in, bytes to send come out."""

    @property
    def finished(self) -> bool: ...  # noqa: D102
    @property
    def next_deadline_us(self) -> int: ...  # noqa: D102
    def connected(self, now_us: int) -> bytes: ...  # noqa: D102
    def received(self, data: bytes, now_us: int) -> bytes: ...  # noqa: D102
    def peer_closed(self, now_us: int) -> bytes: ...  # noqa: D102
    def peer_reset(self, now_us: int) -> bytes: ...  # noqa: D102
    def deadline(self, now_us: int) -> bytes: ...  # noqa: D102
    def visit(self, **driver: object) -> Visit: ...  # noqa: D102


class OutgoingSegment(NamedTuple):
    """A segment to send: flags, one template or nothing, and its place in both streams."""

    flags: int
    payload: bytes
    sequence: int
    acknowledgement: int


@dataclass(slots=True)
class Flow:
    """One connection. Sequence numbers are absolute; `acked` and `sent` count bytes of ours after the SYN."""

    talk: Talk
    began_us: int
    first: int
    """Sequence number of the first byte after our SYN."""
    next: int
    """The peer's byte that we expect."""
    acked: int
    sent: int
    unacknowledged: list[tuple[int, bytes, int]] = field(default_factory=list)
    """(Offset, bytes, when sent) of ours."""
    ahead: dict[int, tuple[bytes, bool]] = field(default_factory=dict)
    """Sequence number → bytes that came too early, and whether a FIN follows them."""
    over: bool = False
    closed: bool = False
    """Our FIN was sent; it counts as a byte."""

    @property
    def due_us(self) -> int:
        """When `timer` is to be called, on the clock of the caller."""
        resend = min((when + RETRANSMIT_US for _, _, when in self.unacknowledged), default=self._deadline())
        return min(resend, self._deadline())

    def _deadline(self) -> int:
        return self.began_us + self.talk.next_deadline_us

    def segment(self, flags: int, sequence: int, acked: int, payload: bytes, now_us: int) -> Iterator[OutgoingSegment]:
        """Take a segment of the peer; `acked` is how many bytes of ours it acknowledges."""
        if flags & RST:
            if sequence == self.next:
                self.talk.peer_reset(now_us - self.began_us)
                self.over = True
            return
        self.acked = max(self.acked, min(acked, self.sent))
        self.unacknowledged = [each for each in self.unacknowledged if each[0] + len(each[1]) > self.acked]
        if payload or flags & FIN:
            yield from self._read(sequence, payload, bool(flags & FIN), now_us)

    def timer(self, now_us: int) -> Iterator[OutgoingSegment]:
        """Send again what was not acknowledged, or end at the deadline."""
        if now_us >= self._deadline():
            yield from self._send(self.talk.deadline(now_us - self.began_us), now_us)
            return
        for number, (offset, payload, when) in enumerate(self.unacknowledged):
            if now_us >= when + RETRANSMIT_US:
                self.unacknowledged[number] = (offset, payload, now_us)
                yield self._out(ACK | PSH, payload, offset)

    def _read(self, sequence: int, payload: bytes, fin: bool, now_us: int) -> Iterator[OutgoingSegment]:
        """Put bytes in order and hand the next ones to the conversation. If it has nothing to send, acknowledge at once."""
        if len(payload) + sum(len(data) for data, _ in self.ahead.values()) <= AHEAD:
            known, last = self.ahead.get(sequence, (b"", False))
            self.ahead[sequence] = (max(known, payload, key=len), fin or last)
        replies = [out for piece in iter(self._take, None) for out in self._deliver(*piece, now_us)]
        yield from replies
        if not replies and not self.over:
            yield self._out(ACK, b"", self.sent)

    def _deliver(self, data: bytes, fin: bool, now_us: int) -> Iterator[OutgoingSegment]:
        """Hand the next bytes, and the peer's FIN after them, to the conversation."""
        if data and not self.over:
            yield from self._send(self.talk.received(data, now_us - self.began_us), now_us)
        if fin and not self.over:
            self.next = (self.next + 1) % MODULUS
            yield from self._end(self.talk.peer_closed(now_us - self.began_us))

    def _take(self) -> tuple[bytes, bool] | None:
        """Take the bytes that begin at the one that we expect, or overlap it; drop those before it."""
        for sequence in list(self.ahead):
            skipped = (self.next - sequence) % MODULUS
            if skipped >= MODULUS // 2:
                continue
            data, fin = self.ahead.pop(sequence)
            if skipped < len(data) or (fin and skipped == len(data)):
                self.next = (self.next + len(data) - skipped) % MODULUS
                return data[skipped:], fin
        return None

    def _send(self, payload: bytes, now_us: int) -> Iterator[OutgoingSegment]:
        """Send the conversation's bytes; if it is finished, with our FIN."""
        if self.talk.finished:
            yield from self._end(payload)
        elif payload:
            yield self._out(ACK | PSH, payload, self.sent)
            self.unacknowledged.append((self.sent, payload, now_us))
            self.sent += len(payload)

    def _end(self, payload: bytes) -> Iterator[OutgoingSegment]:
        """Close with our last bytes and our FIN; the listener watches whether it is acknowledged."""
        self.over = self.closed = True
        yield self._out(ACK | FIN | (PSH if payload else 0), payload, self.sent)
        self.sent += len(payload)

    def _out(self, flags: int, payload: bytes, offset: int) -> OutgoingSegment:
        return OutgoingSegment(flags, payload, (self.first + offset) % MODULUS, self.next)
