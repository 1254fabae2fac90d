"""Sets of IPv4 addresses as sorted, disjoint, non-adjacent ranges: two numpy arrays, vectorised throughout."""

import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError

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
        table = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
        if not len(table):
            return cls(table[:, 0], table[:, 1])
        reach = np.maximum.accumulate(table[:, 1])
        begins = np.concatenate(([True], table[1:, 0] > reach[:-1] + 1))
        ends = np.append(np.flatnonzero(begins)[1:] - 1, len(table) - 1)
        return cls(table[begins, 0], reach[ends])

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
        return Ranges.of(self.pairs() + other.pairs())

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
    _before: I64

    @classmethod
    def over(cls, ranges: Ranges) -> "Space":
        """Prepare the cumulative counts."""
        sizes = ranges.last - ranges.first + 1
        return cls(ranges, np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64))

    @property
    def count(self) -> int:
        """How many addresses the space holds."""
        return self.ranges.count

    def nth(self, numbers: NDArray[np.integer]) -> U32:
        """The addresses at the given places in numeric order; each number in [0, count)."""
        slot = np.searchsorted(self._before, numbers, side="right") - 1
        return (self.ranges.first[slot] + (numbers.astype(np.int64) - self._before[slot])).astype(np.uint32)

    def place(self, addresses: NDArray[np.integer]) -> I64:
        """The inverse of `nth`; every address must be in the space."""
        slot = np.searchsorted(self.ranges.first, addresses, side="right") - 1
        place: I64 = self._before[slot] + addresses.astype(np.int64) - self.ranges.first[slot]
        return place


def parse(text: str, where: str) -> tuple[int, int]:
    """Read a CIDR block, a dashed range or an address. Raises InputError naming `where` and the reason."""
    try:
        if "-" in text:
            first, last = (int(ipaddress.IPv4Address(end.strip())) for end in text.split("-", 1))
            if first > last:
                raise ValueError("ends before it begins")
            return first, last
        block = ipaddress.IPv4Network(text.strip())
        return int(block.network_address), int(block.broadcast_address)
    except ValueError as error:
        raise InputError(where, f"{text!r} is not a CIDR block, a range or an address: {error}") from None


def parse_lines(lines: Iterable[str], where: str) -> Ranges:
    """Read one block a line, `#` begins a comment. Raises InputError naming the line."""
    pairs = []
    for number, line in enumerate(lines, 1):
        block = line.partition("#")[0].strip()
        if block:
            pairs.append(parse(block, f"{where}, line {number}"))
    return Ranges.of(pairs)
