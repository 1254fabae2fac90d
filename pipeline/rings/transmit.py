"""What rings of every engine have in common: how frames are sent through one, whoever made it, and segments over it."""

import errno
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.engines import Engine
from pipeline.guard import forbidden
from pipeline.space.ranges import I64, U32
from pipeline.wire import packet, segment
from pipeline.wire.cookie import Cookie, Secret, bake
from pipeline.wire.packet import Sums
from pipeline.wire.segment import Endpoints, Kind

#: Frames of probes and of segments have a place of this many bytes each; the kernel's header comes first (struct tpacket2_hdr).
TX_FRAME, SEGMENT_FRAME, HEADER = 128, 2048, 32
SEGMENT = np.dtype([("bytes", "u1", SEGMENT_FRAME - HEADER)])
#: How long a batch waits for an interface that takes no frame, and how long between two attempts, in seconds.
PATIENCE_SECONDS, BREATH_SECONDS = 0.1, 0.00005
#: A queue has no room now, or has dropped a frame: the rest are still to be sent.
BUSY = frozenset({errno.EAGAIN, errno.ENOBUFS, errno.EBUSY})
#: The interface is down, so that it takes nothing before it is up again; or it is gone.
DOWN = frozenset({errno.ENETDOWN, errno.ENXIO, errno.ENODEV})
NONE_REFUSED = np.zeros(0, dtype=np.int64)


class RefusedError(Exception):
    """This machine, or this interface of it, does not let an engine send; the message says why."""


class Transmits(Protocol):
    """A ring of frames to send. `room` says how many can be filled at once, `frames` gives them, `send` hands them to the kernel."""

    @property
    def engine(self) -> Engine:
        """The engine that the ring is of."""

    @property
    def rejected(self) -> int:
        """How many frames the kernel or the interface has refused, since the ring was made."""

    def room(self, wanted: int) -> int:
        """How many of the wanted frames are free, in a row from the ring's head."""

    def frames(self, count: int) -> NDArray[np.void]:
        """The next `count` frames, `count` at most `room()`."""

    def lengths(self, count: int) -> NDArray[np.uint32]:
        """The lengths in bytes of the next `count` frames, to be set."""

    def send(self, count: int) -> I64:
        """Hand the next `count` frames to the kernel and wait until it has taken them. Raises CensusError.

        Returns which of them have not left, by their numbers from 0, in ascending order: the interface is down, drops frames, or
        has taken none for PATIENCE_SECONDS. Their places are free again.
        """


class ProbeRing(Protocol):
    """What a sender's probes leave through. `room` says how many can be filled at once, `fill` takes them, `send` sends them."""

    @property
    def engine(self) -> Engine:
        """The engine that the ring is of."""

    @property
    def bakes(self) -> bool:
        """It makes the cookies of its probes by itself."""

    @property
    def rejected(self) -> int:
        """How many frames the kernel or the interface has refused, since the ring was made."""

    @property
    def taken(self) -> int | None:
        """How many frames the driver has taken, as the kernel counts them; None where it does not."""

    @property
    def tags(self) -> U32:
        """The tags of the probes that were sent last, shape (n,)."""

    def room(self, wanted: int) -> int:
        """How many of the wanted probes can be filled at once."""

    def change_template(self, template: bytes) -> None:
        """Make all further probes of this template."""

    def fill(self, addresses: U32, ports: NDArray[np.uint16], secret: Secret, cookie: Cookie | None) -> None:
        """Take the next probes, at most `room()`; all of shape (n,). They carry the cookies of a secret."""

    def send(self, count: int) -> I64:
        """Send the `count` probes filled, and return which of them have not left, as `Transmits.send`."""


class FilledRing:
    """Probes over a ring of frames, each of which has the template of a probe (`ProbeRing`)."""

    bakes = False
    taken = None

    def __init__(self, ring: Transmits, template: bytes) -> None:
        self._ring, self._sums = ring, Sums.over(template)
        self._ids = np.random.default_rng()
        self._changed: np.void | None = None
        self.tags: U32 = np.zeros(0, dtype=np.uint32)

    @property
    def engine(self) -> Engine:
        """The engine that the ring is of."""
        return self._ring.engine

    @property
    def rejected(self) -> int:
        """How many frames the kernel or the interface has refused, since the ring was made."""
        return self._ring.rejected

    def room(self, wanted: int) -> int:
        """How many of the wanted probes can be filled at once."""
        return self._ring.room(wanted)

    def change_template(self, template: bytes) -> None:
        """Make all further probes of this template, and no longer of that which the frames hold."""
        self._sums = Sums.over(template)
        self._changed = np.frombuffer(template, packet.frame_type(len(template)))[0]

    def fill(self, addresses: U32, ports: NDArray[np.uint16], secret: Secret, cookie: Cookie | None) -> None:
        """Write the next probes into frames. Raises GuardError for an address that gets nothing."""
        forbidden.refuse(addresses)
        made = cookie or bake(secret, addresses, ports)
        frames = self._ring.frames(len(addresses))
        ids = self._ids.integers(0, 65536, len(addresses), dtype=np.uint16)
        if self._changed is not None:
            frames[:] = self._changed
        packet.fill(frames, self._sums, addresses, ports, made, ids)
        self.tags = made.sequence

    def send(self, count: int) -> I64:
        """Hand the `count` probes filled to the kernel; which have not left. Raises CensusError."""
        return self._ring.send(count)


class SegmentRing:
    """Segments of our connections, of any kind, over a ring of frames of type SEGMENT."""

    def __init__(self, ring: Transmits) -> None:
        self._ring = ring
        self._ids = np.random.default_rng()

    def send(self, segments: Sequence[tuple[Kind, Endpoints]]) -> None:
        """Send segments of each kind to its endpoints, in this order. One that is refused is a lost packet: TCP sends it again."""
        if not segments:
            return
        kinds, parts = zip(*segments, strict=True)
        endpoints = Endpoints.of_all(parts)
        which = np.repeat(np.arange(len(kinds)), [len(part.address) for part in parts])
        lengths = np.array([len(kind.frame) for kind in kinds])[which]
        done = 0
        while done < len(which):
            count = self._ring.room(len(which) - done)
            now = slice(done, done + count)
            if not kinds[0].played:
                forbidden.refuse(endpoints.address[now])
            ids = self._ids.integers(0, 65536, count, dtype=np.uint16)
            segment.fill(self._ring.frames(count)["bytes"], kinds, which[now], endpoints.take(now), ids)
            self._ring.lengths(count)[:] = lengths[now]
            self._ring.send(count)
            done += count
