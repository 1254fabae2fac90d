"""What we send on connections of our own TCP: the payload of each segment passes the whitelist (`wire.outgoing`)."""

import numpy as np
from numpy.typing import NDArray

from pipeline.rings.packet_ring import SegmentRing
from pipeline.wire.outgoing import Outgoing
from pipeline.wire.packet import ACK, FIN, RST, SYN, Answers, Link
from pipeline.wire.segment import Endpoints, Kind


class SegmentSender:
    """Sends segments of every kind to many hosts at once. What it is told to send waits for the others until `flush`."""

    def __init__(self, ring: SegmentRing, link: Link, outgoing: Outgoing) -> None:
        self._ring, self._link, self._outgoing = ring, link, outgoing
        self._kinds: dict[tuple[int, bytes], Kind] = {}
        self._said: list[tuple[Kind, Endpoints]] = []

    def send(self, flags: int, payload: bytes, places: Endpoints) -> None:
        """Send the same segment to each place, with all that is said until `flush`."""
        if len(places.address):
            self._said.append((self.kind(flags, payload), places))

    def flush(self) -> None:
        """Let what was said leave, in that order."""
        said, self._said = self._said, []
        self._ring.send(said)

    def say(
        self, rows: NDArray[np.void], flags: int, payload: bytes = b"", *, skip: int | NDArray[np.uint16] = 0
    ) -> None:
        """Send a segment to hosts with these rows, `skip` bytes after our SYN."""
        if len(rows):
            sequence = rows["sequence"] + np.asarray(skip, dtype=np.uint32)
            self.send(
                flags, payload, Endpoints(rows["address"], rows["port"], rows["our_port"], sequence, rows["next"])
            )

    def refuse(self, answers: Answers) -> None:
        """Reset connections where these segments say that they stand: half-open ones, and those that our last RST missed."""
        self._reply(answers, RST | ACK)

    def late(self, answers: Answers) -> None:
        """After we have closed: reset who still sends bytes, acknowledge a FIN; an acknowledgement needs no answer."""
        alive = (answers.flags & RST) == 0
        self._reply(answers.take(alive & (answers.size > 0)), RST | ACK)
        self._reply(answers.take(alive & (answers.size == 0) & ((answers.flags & FIN) != 0)), ACK)

    def _reply(self, answers: Answers, flags: int) -> None:
        """Answer segments from what they say themselves."""
        if not len(answers.address):
            return
        counted = answers.size + ((answers.flags & (SYN | FIN)) != 0)
        expected = answers.sequence + counted.astype(np.uint32)
        ours = answers.our_sequence + np.uint32(1)
        self.send(flags, b"", Endpoints(answers.address, answers.port, answers.our_port, ours, expected))

    def kind(self, flags: int, payload: bytes = b"") -> Kind:
        """The kind of these segments. Raises GuardError for a payload that is not one whole template."""
        key = (flags, payload)
        if key not in self._kinds:
            self._kinds[key] = Kind.of(self._link, flags, self._outgoing.require_template(payload) if payload else b"")
        return self._kinds[key]
