"""Shards and ranges: how the permuted order is cut into work.

Three numbers say where a target is, from the largest whole to the smallest:

    address index  where its address comes in the permuted order of the sweep; a shard is the indices [first, last)
    local index    where it comes in its shard: j in [0, length * ports) is port `ports[j // length]` at the address with index
                   first + j % length; a range is a slice of local indices
    position       where it comes in its range: local index - first_index

So all port passes of an address are made by one worker, one after another, and no address is visited on two ports at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

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
        """The number of targets in the range."""
        return self.last_index - self.first_index + 1

    @property
    def key(self) -> str:
        """Name of the range in files and leases."""
        return range_key(self.shard, self.number)

    def positions(self, shard: I64, local: I64) -> tuple[I64, NDArray[np.bool_]]:
        """The positions of targets in the range, from their shards and local indices, and which of them are in it; shape (n,) each."""
        position = local - self.first_index
        return position, (shard == self.shard) & (position >= 0) & (position < self.length)


def range_key(shard: int, number: int) -> str:
    """Name of a shard's range in files and leases."""
    return f"{shard:03d}-{number:06d}"


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """The order of all targets of a sweep: which target comes where, and which shard an answer's target is in."""

    space: Space
    permutation: Permutation
    ports: tuple[int, ...]
    addresses: int
    shards: int
    range_targets: int
    _starts: I64 = field(init=False)
    _passes: NDArray[np.int8] = field(init=False)

    def __post_init__(self) -> None:
        starts = np.array([self.addresses * shard // self.shards for shard in range(self.shards + 1)], dtype=np.int64)
        passes = np.full(65536, -1, dtype=np.int8)
        passes[list(self.ports)] = np.arange(len(self.ports))
        object.__setattr__(self, "_starts", starts)
        object.__setattr__(self, "_passes", passes)

    def bounds(self, shard: int) -> tuple[int, int]:
        """First and end (excluded) address index of a shard."""
        return int(self._starts[shard]), int(self._starts[shard + 1])

    @property
    def range_counts(self) -> I64:
        """The number of ranges of each shard, shape (shards,)."""
        return -(-np.diff(self._starts) * len(self.ports) // self.range_targets)

    def ranges(self, shard: int) -> Iterator[Range]:
        """The ranges of a shard, in order; the last one may be shorter."""
        first, end = self.bounds(shard)
        total = (end - first) * len(self.ports)
        for number, begin in enumerate(range(0, total, self.range_targets)):
            yield Range(shard, number, begin, min(begin + self.range_targets, total) - 1)

    def targets(self, shard: int, begin: int, end: int) -> tuple[U32, NDArray[np.uint16]]:
        """Addresses and ports at the local indices from `begin` up to `end` (excluded) of a shard; both of shape (n,)."""
        first, last = self.bounds(shard)
        length = last - first
        address_index = np.empty(end - begin, dtype=np.uint32)
        ports = np.empty(end - begin, dtype=np.uint16)
        at = begin
        while at < end:
            port_pass, offset = divmod(at, length)
            stop = min(end, at + length - offset)
            address_index[at - begin : stop - begin] = np.arange(first + offset, first + offset + stop - at)
            ports[at - begin : stop - begin] = self.ports[port_pass]
            at = stop
        return self.space.nth(self.permutation.forward(address_index)), ports

    def at(self, shard: int, local: I64) -> tuple[U32, NDArray[np.uint16]]:
        """Addresses and ports at these local indices of a shard; all of shape (n,)."""
        first, last = self.bounds(shard)
        port_pass, offset = np.divmod(local, last - first)
        addresses = self.space.nth(self.permutation.forward((first + offset).astype(np.uint32)))
        return addresses, np.array(self.ports, dtype=np.uint16)[port_pass]

    def locate(self, addresses: NDArray[np.integer], ports: NDArray[np.integer]) -> tuple[I64, I64]:
        """Shard and local index of targets; both -1 where a target is not of this sweep."""
        shard = np.full(len(addresses), -1, dtype=np.int64)
        local = np.full(len(addresses), -1, dtype=np.int64)
        port_pass = self._passes[ports]
        inside = np.flatnonzero(self.space.contains(addresses) & (port_pass >= 0))
        address_index = self.permutation.inverse(self.space.rank(addresses[inside])).astype(np.int64)
        visited = address_index < self.addresses
        inside, address_index = inside[visited], address_index[visited]
        number = np.searchsorted(self._starts, address_index, side="right") - 1
        lengths = np.diff(self._starts)
        shard[inside] = number
        local[inside] = port_pass[inside] * lengths[number] + address_index - self._starts[number]
        return shard, local
