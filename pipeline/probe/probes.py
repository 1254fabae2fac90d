"""Probes as columns: where they go and what they carry. Those of a range are computed ahead and buffered.

A call of numpy costs as much for five targets as for a hundred, and at most rates only a few probes are due at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.space.ranges import I64, U32, Ranges
from pipeline.space.shard import Range, Walk
from pipeline.wire.cookie import Cookie, Secret, bake
from pipeline.wire.packet import ACK, RST, SYN, Answers

#: The buffer takes this many batches of the present size, and at most this many probes: few enough to stay in the cache.
BATCHES, MOST = 16, 8192


@dataclass(frozen=True, slots=True)
class Probes:
    """Probes to targets, and what each carries; shape (n,)."""

    addresses: U32
    ports: NDArray[np.uint16]
    cookie: Cookie

    @classmethod
    def of(cls, secret: Secret, addresses: U32, ports: NDArray[np.uint16]) -> "Probes":
        """The probes to these targets, with the cookies of a key."""
        return cls(addresses, ports, bake(secret, addresses, ports))

    def __len__(self) -> int:
        """How many probes there are."""
        return len(self.addresses)

    def take(self, which: I64 | slice) -> "Probes":
        """The probes at these indices."""
        cookie = Cookie(self.cookie.source_port[which], self.cookie.sequence[which])
        return Probes(self.addresses[which], self.ports[which], cookie)

    def without(self, withheld: Ranges) -> tuple["Probes", I64]:
        """The probes to addresses that are not withheld, and their indices among all of these."""
        if not len(withheld.first):
            return self, np.arange(len(self))
        kept = np.flatnonzero(~withheld.contains(self.addresses))
        return self.take(kept), kept


def answers_to(secret: Secret, answers: Answers, flags: int = SYN | ACK) -> NDArray[np.bool_]:
    """Which packets are SYN-ACKs, or packets with other flags, that answer probes whose cookies a key made; shape (n,)."""
    right: NDArray[np.bool_] = (answers.flags & (SYN | ACK | RST)) == flags
    candidates = np.flatnonzero(right)
    cookie = bake(secret, answers.address[candidates], answers.port[candidates])
    right[candidates] = cookie.source_port == answers.our_port[candidates]
    right[candidates] &= cookie.sequence == answers.our_sequence[candidates]
    return right


class ProbeBuffer:
    """The probes of ranges, in the order of the walk, with some of them computed ahead."""

    def __init__(self, walk: Walk, secret: Secret) -> None:
        self._walk, self._secret = walk, secret
        self._range: Range | None = None
        self._begin = self._end = 0
        self._ahead = Probes.of(secret, np.zeros(0, np.uint32), np.zeros(0, np.uint16))

    def take(self, range_: Range, position: int, count: int) -> Iterator[Probes]:
        """Yield the probes to `count` targets of a range, from a position on; in pieces where the buffer ends."""
        end = position + count
        while position < end:
            if range_ is not self._range or not self._begin <= position < self._end:
                self._refill(range_, position, count)
            stop = min(end, self._end)
            yield self._ahead.take(slice(position - self._begin, stop - self._begin))
            position = stop

    def _refill(self, range_: Range, position: int, count: int) -> None:
        size = min(max(count, min(BATCHES * count, MOST)), range_.length - position)
        first = range_.first_index + position
        self._ahead = Probes.of(self._secret, *self._walk.targets(range_.shard, first, first + size))
        self._range, self._begin, self._end = range_, position, position + size
