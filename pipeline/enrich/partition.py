"""A partition of the whole IPv4 space: the record of each address, from sorted ranges that are flattened once.

Addresses are looked up in whole arrays. Records are numbered from 1; 0 means that the database has none.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.space.interval_index import IntervalIndex
from pipeline.space.ranges import Ranges

SPACE = 1 << 32

U64 = NDArray[np.uint64]
Codes = NDArray[np.int32]
Addresses = NDArray[np.uint32]


def distinct(addresses: NDArray[np.integer]) -> Addresses:
    """The distinct addresses, sorted; fast for nearly sorted input, such as tables of the lake."""
    ordered = np.sort(addresses.astype(np.uint32), kind="stable")
    keep = np.ones(ordered.size, np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=keep[1:])
    return ordered[keep]


@dataclass(frozen=True, eq=False)
class Partition:
    """The sorted starts of the pieces, beginning with 0, and the record of each piece; both of shape (n,)."""

    starts: U64
    codes: Codes

    @classmethod
    def of(cls, first: U64, after: U64, codes: Codes) -> "Partition":
        """Make a partition of sorted, disjoint ranges [first, after); the gaps between them have record 0."""
        starts = np.concatenate([np.zeros(1, np.uint64), np.column_stack([first, after]).ravel()])
        filled = np.zeros(starts.size, np.int32)
        filled[1::2] = codes
        keep = np.append(starts[:-1] != starts[1:], True) & (starts < SPACE)
        return cls(starts[keep], filled[keep])

    @cached_property
    def _lookup(self) -> IntervalIndex:
        return IntervalIndex.over(self.starts)

    def at(self, addresses: NDArray[np.integer]) -> Codes:
        """The record of each address."""
        return self.codes[self._lookup.find(addresses)]

    def count_addresses(self, first: Addresses, last: Addresses, records: int) -> NDArray[np.int64]:
        """How many addresses of sorted, disjoint ranges have each of the `records` records; shape (records,)."""
        low, end = first.astype(np.uint64), last.astype(np.uint64) + np.uint64(1)
        if low.size == 0:
            return np.zeros(records, np.int64)
        ends = np.stack([low, end], axis=1).ravel()
        cuts = np.insert(self.starts, np.searchsorted(self.starts, ends), ends)  # a repeated cut has width 0
        pieces, widths = cuts[:-1], np.diff(cuts)
        owner = np.searchsorted(low, pieces, side="right") - 1
        inside = (owner >= 0) & (pieces < end[owner])
        # Sums are below 2**53, so float64 weights are exact.
        totals = np.bincount(self.at(pieces[inside]), weights=widths[inside], minlength=records)
        return totals.astype(np.int64)

    def intersect(self, other: "Partition") -> tuple["Partition", NDArray[np.int32]]:
        """The common refinement, and the (record, other's record) pair of each of its records, of shape (records, 2)."""
        starts = np.union1d(self.starts, other.starts)
        width = int(other.codes.max(initial=0)) + 1
        combined = self.at(starts).astype(np.int64) * width + other.at(starts)
        pairs, codes = np.unique(combined, return_inverse=True)
        return Partition(starts, codes.astype(np.int32)), np.column_stack(np.divmod(pairs, width)).astype(np.int32)

    def ranges(self, codes: list[int]) -> Ranges:
        """All addresses with any of these records."""
        selected = np.isin(self.codes, codes)
        ends = np.append(self.starts[1:], SPACE)
        return Ranges.of(zip(self.starts[selected].tolist(), (ends[selected] - np.uint64(1)).tolist(), strict=True))

    def digest(self, records: Sequence[object]) -> str:
        """SHA-256 over pieces and records, in hexadecimal: equal for databases with equal contents."""
        content = hashlib.sha256(self.starts.astype(">u8").tobytes())
        content.update(self.codes.astype(">i4").tobytes())
        content.update(repr(tuple(records)).encode())
        return content.hexdigest()
