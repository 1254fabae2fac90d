"""Send segments on TCP connections of our own. The payload of each passes the whitelist here (`wire.outgoing`)."""

import numpy as np
from numpy.typing import NDArray

from pipeline.rings.transmit import SegmentRing
from pipeline.wire.outgoing import Outgoing
from pipeline.wire.packet import ACK, FIN, RST, SYN, Answers, Link
from pipeline.wire.segment import Endpoints, Kind


class SegmentSender:
    """Sends segments of every kind to many hosts at once. They wait in a queue until `flush`."""

    def __init__(self, ring: SegmentRing, link: Link, outgoing: Outgoing) -> None:
        self._ring, self._link, self._outgoing = ring, link, outgoing
        self._kinds: dict[tuple[int, bytes], Kind] = {}
        self._queue: list[tuple[Kind, Endpoints]] = []

    def change_link(self, link: Link) -> None:
        """Send all segments that are not queued yet by this link."""
        self._link = link
        self._kinds.clear()

    def send(self, flags: int, payload: bytes, endpoints: Endpoints) -> None:
        """Queue the same segment for each endpoint."""
        if len(endpoints.address):
            self._queue.append((self.kind(flags, payload), endpoints))

    def flush(self) -> None:
        """Send what is queued, in that order."""
        queue, self._queue = self._queue, []
        self._ring.send(queue)

    def clear(self) -> None:
        """Drop what is queued."""
        self._queue.clear()

    def send_to(
        self, rows: NDArray[np.void], flags: int, payload: bytes = b"", *, skip: int | NDArray[np.uint16] = 0
    ) -> None:
        """Queue a segment for the hosts of these rows of the connection table, `skip` bytes after our SYN."""
        if len(rows):
            sequence = rows["sequence"] + np.asarray(skip, dtype=np.uint32)
            self.send(
                flags, payload, Endpoints(rows["address"], rows["port"], rows["our_port"], sequence, rows["next"])
            )

    def reset(self, answers: Answers) -> None:
        """Reset the connections that these segments came on, at the sequence numbers that they show.

        They are half-open ones that we do not want, and ones that our last RST missed.
        """
        self._reply(answers, RST | ACK)

    def reply_closed(self, answers: Answers) -> None:
        """Answer segments that come after we have closed: reset a host that sends more bytes, acknowledge a FIN, ignore the rest."""
        alive = (answers.flags & RST) == 0
        self._reply(answers.take(alive & (answers.size > 0)), RST | ACK)
        self._reply(answers.take(alive & (answers.size == 0) & ((answers.flags & FIN) != 0)), ACK)

    def _reply(self, answers: Answers, flags: int) -> None:
        """Answer segments with the sequence numbers that they show themselves."""
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
