"""Probes as columns: where they go and what they carry. Those of a range are worked out ahead, in lots.

A call of numpy costs as much for five targets as for a hundred, and at most rates only a few probes are due at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.space.ranges import I64, U32, Ranges
from pipeline.space.shard import Range, Walk
from pipeline.wire.cookie import Cookie, Secret, bake

#: Of how many batches like the present one a lot consists, and of how many probes at most: few enough to stay in the cache.
BATCHES, MOST = 16, 8192


@dataclass(frozen=True, slots=True)
class Probes:
    """Probes to targets, and what each carries; shape (n,)."""

    addresses: U32
    ports: NDArray[np.uint16]
    cookie: Cookie

    @classmethod
    def of(cls, secret: Secret, addresses: U32, ports: NDArray[np.uint16]) -> "Probes":
        """Those to these targets, with the cookies of a key."""
        return cls(addresses, ports, bake(secret, addresses, ports))

    def __len__(self) -> int:
        """How many there are."""
        return len(self.addresses)

    def take(self, chosen: I64 | slice) -> "Probes":
        """Those that are chosen."""
        cookie = Cookie(self.cookie.source_port[chosen], self.cookie.sequence[chosen])
        return Probes(self.addresses[chosen], self.ports[chosen], cookie)

    def but(self, withheld: Ranges) -> tuple["Probes", I64]:
        """Those to addresses that are not withheld, and their places among all of these."""
        if not len(withheld.first):
            return self, np.arange(len(self))
        asked = np.flatnonzero(~withheld.contains(self.addresses))
        return self.take(asked), asked


class ProbeBuffer:
    """The probes of ranges, in the order of the walk, a lot of them worked out ahead."""

    def __init__(self, walk: Walk, secret: Secret) -> None:
        self._walk, self._secret = walk, secret
        self._range: Range | None = None
        self._begin = self._end = 0
        self._lot = Probes.of(secret, np.zeros(0, np.uint32), np.zeros(0, np.uint16))

    def take(self, chosen: Range, begin: int, count: int) -> Iterator[Probes]:
        """The probes to `count` targets of a range from its place `begin` on; in pieces where a lot ends."""
        end = begin + count
        while begin < end:
            if chosen is not self._range or not self._begin <= begin < self._end:
                self._work_out(chosen, begin, count)
            stop = min(end, self._end)
            yield self._lot.take(slice(begin - self._begin, stop - self._begin))
            begin = stop

    def _work_out(self, chosen: Range, begin: int, count: int) -> None:
        size = min(max(count, min(BATCHES * count, MOST)), chosen.length - begin)
        first = chosen.first_index + begin
        self._lot = Probes.of(self._secret, *self._walk.targets(chosen.shard, first, first + size))
        self._range, self._begin, self._end = chosen, begin, begin + size
