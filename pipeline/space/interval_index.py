"""Find the interval of the 32-bit line that contains a number, for many numbers at once and many intervals.

A table over the upper bits guesses the interval by one read. Only numbers past a boundary inside their table cell need a
search; they are few unless the intervals are bunched. So the cost hardly grows with the number of intervals.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

U32 = NDArray[np.uint32]
I32 = NDArray[np.int32]

#: The table has at most 2^TABLE_BITS cells: it fits into a core's second cache.
TABLE_BITS = 16
LAST = 2**32 - 1


@dataclass(frozen=True, slots=True, eq=False)
class IntervalIndex:
    """Intervals that begin at sorted, distinct `starts`; each ends before the next one, the last at `upto`."""

    starts: U32
    upto: int
    _shift: np.uint32
    _ends: U32
    _guess: I32

    @classmethod
    def over(cls, starts: NDArray[np.integer], upto: int = LAST) -> "IntervalIndex":
        """Prepare the table. `starts` has shape (n,), n at least 1; `upto` is the highest number that will be looked up."""
        begins = starts.astype(np.uint32)
        shift = max(0, upto.bit_length() - TABLE_BITS)
        cells = np.arange((upto >> shift) + 1, dtype=np.int64) << shift
        guess = np.maximum(np.searchsorted(begins, cells, side="right") - 1, 0)
        ends = np.append(begins[1:] - np.uint32(1), np.uint32(LAST))
        return cls(begins, upto, np.uint32(shift), ends, guess.astype(np.int32))

    def find(self, numbers: NDArray[np.integer]) -> I32:
        """Return the interval of each number (at most `upto`), of shape (n,); 0 also for numbers before the first start."""
        values = numbers.astype(np.uint32, copy=False)
        interval: I32 = self._guess[values >> self._shift]
        past = np.flatnonzero(values > self._ends[interval])
        if len(past):
            interval[past] = np.searchsorted(self.starts, values[past], side="right") - 1
        return interval
