"""Probes as columns: where they go and what they carry. Those of a range are computed ahead and buffered.

A call of numpy costs as much for five targets as for a hundred, and at most rates only a few probes are due at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.space.ranges import I64, U32, Ranges
from pipeline.space.shard import Range, Walk
from pipeline.wire.cookie import Cookie, Secret, bake, source_ports
from pipeline.wire.packet import ACK, RST, SYN, Answers

#: The buffer takes this many batches of the present size, and at most this many probes: few enough to stay in the cache.
BATCHES, MOST = 16, 32768
#: The indices of the probes of any batch.
NUMBERS = np.arange(MOST)


@dataclass(frozen=True, slots=True)
class Probes:
    """Probes to targets, and what each carries: the cookies of a secret, unless they are still to be made; shape (n,)."""

    addresses: U32
    ports: NDArray[np.uint16]
    secret: Secret
    cookie: Cookie | None = None

    @classmethod
    def of(cls, secret: Secret, addresses: U32, ports: NDArray[np.uint16]) -> "Probes":
        """The probes to these targets, with their cookies."""
        return cls(addresses, ports, secret, bake(secret, addresses, ports))

    def __len__(self) -> int:
        """How many probes there are."""
        return len(self.addresses)

    def take(self, which: I64 | slice) -> "Probes":
        """The probes at these indices."""
        made = self.cookie
        cookie = Cookie(made.source_port[which], made.sequence[which]) if made else None
        return Probes(self.addresses[which], self.ports[which], self.secret, cookie)

    def without(self, withheld: Ranges) -> tuple["Probes", I64]:
        """The probes to addresses that are not withheld, and their indices among all of these."""
        if not len(withheld.first):
            return self, NUMBERS[: len(self)]
        kept = np.flatnonzero(~withheld.contains(self.addresses))
        return self.take(kept), kept


def answers_to(secret: Secret, answers: Answers, tags: U32, flags: int = SYN | ACK) -> NDArray[np.bool_]:
    """Which packets, whose targets have these tags, are SYN-ACKs (or have other flags) to probes of a secret's kind; shape (n,)."""
    right: NDArray[np.bool_] = answers.our_sequence - tags == np.uint32(secret.step)
    if right.any():
        right &= (answers.flags & (SYN | ACK | RST)) == flags
        right &= source_ports(secret, answers.our_sequence) == answers.our_port
    return right


class ProbeBuffer:
    """The probes of ranges, in the order of the walk, with some of them computed ahead."""

    def __init__(self, walk: Walk, secret: Secret, *, bakes: bool = True) -> None:
        """Without `bakes` they get no cookies here: the ring makes them."""
        self._walk, self._secret, self._bakes = walk, secret, bakes
        self._range: Range | None = None
        self._begin = self._end = 0
        self._ahead = Probes(np.zeros(0, np.uint32), np.zeros(0, np.uint16), secret)

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
        targets = self._walk.targets(range_.shard, first, first + size)
        self._ahead = Probes.of(self._secret, *targets) if self._bakes else Probes(*targets, self._secret)
        self._range, self._begin, self._end = range_, position, position + size
