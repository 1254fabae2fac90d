"""Sets of IPv4 addresses as sorted, disjoint, non-adjacent ranges: two numpy arrays, vectorised throughout."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.space.lookup import Lookup

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
        """Build the set that the union of (first, last) pairs covers, in any order, overlapping or not."""
        table = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
        return cls.covering(table[:, 0], table[:, 1])

    @classmethod
    def covering(cls, first: NDArray[np.integer], last: NDArray[np.integer]) -> "Ranges":
        """Build the same from two arrays of one shape (n,)."""
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
        """How many addresses the set holds."""
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
        every = [*sets, Ranges.of(())]
        return Ranges.covering(np.concatenate([s.first for s in every]), np.concatenate([s.last for s in every]))

    def complement(self) -> "Ranges":
        """All other IPv4 addresses."""
        first = np.concatenate(([0], self.last + 1)).astype(np.int64)
        last = np.concatenate((self.first - 1, [2**32 - 1])).astype(np.int64)
        keep = first <= last
        return Ranges(first[keep], last[keep])

    def subtract(self, other: "Ranges") -> "Ranges":
        """Addresses of this set that the other lacks."""
        return self.complement().union(other).complement()

    def intersect(self, other: "Ranges") -> "Ranges":
        """Addresses of both sets."""
        return self.complement().union(other.complement()).complement()

    def contains(self, addresses: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Membership of each address."""
        if not len(self.first):
            return np.zeros(len(addresses), dtype=np.bool_)
        slot = np.searchsorted(self.first, addresses, side="right") - 1
        inside: NDArray[np.bool_] = (slot >= 0) & (addresses <= self.last[np.maximum(slot, 0)])
        return inside


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """A set of addresses that can be counted through: the nth address, and which one is the nth."""

    ranges: Ranges
    _places: Lookup
    _addresses: Lookup
    _shift: U32
    _reach: U32

    @classmethod
    def over(cls, ranges: Ranges) -> "Space":
        """Prepare the cumulative counts. Raises ValueError for the empty set, which has no nth address."""
        if not len(ranges.first):
            raise ValueError("an empty set cannot be counted through")
        before = np.concatenate(([0], np.cumsum(ranges.last - ranges.first + 1)[:-1]))
        shift = (ranges.first - before).astype(np.uint32)  # from place to address, one number a range
        reach = (ranges.last - ranges.first).astype(np.uint32)
        return cls(ranges, Lookup.over(before, ranges.count - 1), Lookup.over(ranges.first), shift, reach)

    @property
    def count(self) -> int:
        """How many addresses the space holds."""
        return self.ranges.count

    def nth(self, numbers: NDArray[np.integer]) -> U32:
        """The addresses at the given places in numeric order; each number in [0, count)."""
        given = numbers.astype(np.uint32, copy=False)
        found: U32 = given + self._shift[self._places.piece(given)]
        return found

    def contains(self, addresses: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Membership of each address."""
        given = addresses.astype(np.uint32, copy=False)
        slot = self._addresses.piece(given)
        # What lies before its range's start wraps around to a distance that no range reaches.
        inside: NDArray[np.bool_] = given - self._addresses.starts[slot] <= self._reach[slot]
        return inside

    def place(self, addresses: NDArray[np.integer]) -> U32:
        """The inverse of `nth`; every address must be in the space."""
        given = addresses.astype(np.uint32, copy=False)
        found: U32 = given - self._shift[self._addresses.piece(given)]
        return found
