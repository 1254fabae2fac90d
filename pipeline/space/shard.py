"""Shards and ranges: how the permuted order is cut into work.

A shard is [first, last) of address indices; its local index j in [0, length * ports) means port `ports[j // length]` at the
address with index first + j % length. A range is a slice of local indices. So all port passes of an address are made by
one worker, one after another, and no address is visited on two ports at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.space.permutation import Permutation
from pipeline.space.ranges import I64, U32, Space


@dataclass(frozen=True, slots=True)
class Range:
    """A slice of a shard: local indices `first_index` to `last_index`, both included."""

    shard: int
    number: int
    first_index: int
    last_index: int

    @property
    def length(self) -> int:
        """How many targets the range holds."""
        return self.last_index - self.first_index + 1

    @property
    def key(self) -> str:
        """Name of the range in files and leases."""
        return f"{self.shard:03d}-{self.number:06d}"


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """Index ↔ target for a whole sweep: which target stands where, and which range an answer belongs to."""

    space: Space
    permutation: Permutation
    ports: tuple[int, ...]
    addresses: int
    shards: int
    range_targets: int

    def bounds(self, shard: int) -> tuple[int, int]:
        """First and end (excluded) address index of a shard."""
        return self.addresses * shard // self.shards, self.addresses * (shard + 1) // self.shards

    def ranges(self, shard: int) -> Iterator[Range]:
        """The ranges of a shard, in order; the last one may be shorter."""
        first, end = self.bounds(shard)
        total = (end - first) * len(self.ports)
        for number, begin in enumerate(range(0, total, self.range_targets)):
            yield Range(shard, number, begin, min(begin + self.range_targets, total) - 1)

    def targets(self, shard: int, local: NDArray[np.integer]) -> tuple[U32, NDArray[np.uint16]]:
        """Addresses and ports at local indices of a shard."""
        first, end = self.bounds(shard)
        port_pass, offset = np.divmod(local.astype(np.int64), end - first)
        addresses = self.space.nth(self.permutation.forward(first + offset))
        return addresses, np.asarray(self.ports, dtype=np.uint16)[port_pass]

    def locate(self, addresses: NDArray[np.integer], ports: NDArray[np.integer]) -> tuple[I64, I64]:
        """Shard and local index of targets; both -1 where a target is not of this sweep."""
        shard = np.full(len(addresses), -1, dtype=np.int64)
        local = np.full(len(addresses), -1, dtype=np.int64)
        order, known_ports = _positions(self.ports, ports)
        inside = np.flatnonzero(self.space.ranges.contains(addresses) & known_ports)
        index = self.permutation.inverse(self.space.place(addresses[inside]))
        visited = index < self.addresses
        inside, index = inside[visited], index[visited]
        starts = np.array([self.bounds(number)[0] for number in range(self.shards + 1)], dtype=np.int64)
        number = np.searchsorted(starts, index, side="right") - 1
        lengths = np.diff(starts)
        shard[inside] = number
        local[inside] = order[inside] * lengths[number] + index - starts[number]
        return shard, local


def _positions(ports: Sequence[int], given: NDArray[np.integer]) -> tuple[I64, NDArray[np.bool_]]:
    """Place of each given port in the passes, and whether it has one."""
    table = np.full(65536, -1, dtype=np.int64)
    table[list(ports)] = np.arange(len(ports))
    order = table[given]
    return order, order >= 0
