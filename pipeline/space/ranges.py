"""Sets of IPv4 addresses as sorted, disjoint, non-adjacent ranges: two numpy arrays, vectorised throughout."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.space.interval_index import IntervalIndex

U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Ranges:
    """A set of addresses. `first` and `last` (included): int64 arrays of one shape (n,), sorted, with gaps between."""

    first: I64
    last: I64

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> "Ranges":
        """Build the union of (first, last) pairs, which may come in any order and overlap."""
        table = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
        return cls.covering(table[:, 0], table[:, 1])

    @classmethod
    def covering(cls, first: NDArray[np.integer], last: NDArray[np.integer]) -> "Ranges":
        """Build the union of the ranges `first[i]` to `last[i]`; two arrays of shape (n,)."""
        order = np.argsort(first, kind="stable")
        begin, end = first[order].astype(np.int64), last[order].astype(np.int64)
        if not len(begin):
            return cls(begin, end)
        reach = np.maximum.accumulate(end)
        heads = np.concatenate(([True], begin[1:] > reach[:-1] + 1))
        tails = np.append(np.flatnonzero(heads)[1:] - 1, len(begin) - 1)
        return cls(begin[heads], reach[tails])

    @property
    def count(self) -> int:
        """The number of addresses in the set."""
        return int((self.last - self.first + 1).sum())

    @property
    def digest(self) -> str:
        """SHA-256 over the ranges as big-endian 32-bit pairs, hexadecimal."""
        pairs = np.stack((self.first, self.last), axis=1).astype(">u4")
        return hashlib.sha256(pairs.tobytes()).hexdigest()

    def pairs(self) -> list[tuple[int, int]]:
        """The ranges as plain integers."""
        return list(zip(self.first.tolist(), self.last.tolist(), strict=True))

    def union(self, other: "Ranges") -> "Ranges":
        """Addresses of either set."""
        return Ranges.covering(np.concatenate((self.first, other.first)), np.concatenate((self.last, other.last)))

    @staticmethod
    def union_of(sets: Iterable["Ranges"]) -> "Ranges":
        """Addresses of any of the sets."""
        parts = [*sets, Ranges.of(())]
        return Ranges.covering(
            np.concatenate([part.first for part in parts]), np.concatenate([part.last for part in parts])
        )

    def complement(self) -> "Ranges":
        """All other IPv4 addresses."""
        first = np.concatenate(([0], self.last + 1)).astype(np.int64)
        last = np.concatenate((self.first - 1, [2**32 - 1])).astype(np.int64)
        keep = first <= last
        return Ranges(first[keep], last[keep])

    def subtract(self, other: "Ranges") -> "Ranges":
        """Addresses of this set that are not in the other."""
        return self.complement().union(other).complement()

    def intersect(self, other: "Ranges") -> "Ranges":
        """Addresses of both sets."""
        return self.complement().union(other.complement()).complement()

    def contains(self, addresses: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Whether each address is in the set."""
        if not len(self.first):
            return np.zeros(len(addresses), dtype=np.bool_)
        number = np.searchsorted(self.first, addresses, side="right") - 1
        inside: NDArray[np.bool_] = (number >= 0) & (addresses <= self.last[np.maximum(number, 0)])
        return inside


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """A set of addresses with ranks: address → rank in numeric order (from 0), and back."""

    ranges: Ranges
    _by_rank: IntervalIndex
    _by_address: IntervalIndex
    _shift: U32
    _reach: U32

    @classmethod
    def over(cls, ranges: Ranges) -> "Space":
        """Prepare the cumulative counts. Raises ValueError for the empty set."""
        if not len(ranges.first):
            raise ValueError("an empty set has no nth address")
        before = np.concatenate(([0], np.cumsum(ranges.last - ranges.first + 1)[:-1]))
        shift = (ranges.first - before).astype(np.uint32)  # from rank to address, one number a range
        reach = (ranges.last - ranges.first).astype(np.uint32)
        return cls(ranges, IntervalIndex.over(before, ranges.count - 1), IntervalIndex.over(ranges.first), shift, reach)

    @property
    def count(self) -> int:
        """The number of addresses in the space."""
        return self.ranges.count

    def nth(self, ranks: NDArray[np.integer]) -> U32:
        """The addresses of the given ranks, each in [0, count)."""
        values = ranks.astype(np.uint32, copy=False)
        addresses: U32 = values + self._shift[self._by_rank.find(values)]
        return addresses

    def contains(self, addresses: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Whether each address is in the set."""
        values = addresses.astype(np.uint32, copy=False)
        number = self._by_address.find(values)
        # An address before the start of its range wraps around to a distance that no range reaches.
        inside: NDArray[np.bool_] = values - self._by_address.starts[number] <= self._reach[number]
        return inside

    def rank(self, addresses: NDArray[np.integer]) -> U32:
        """The ranks of addresses, the inverse of `nth`; every address must be in the space."""
        values = addresses.astype(np.uint32, copy=False)
        ranks: U32 = values - self._shift[self._by_address.find(values)]
        return ranks
