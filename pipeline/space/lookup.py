"""In which piece of the 32-bit line a number lies, for many numbers at once, when there are many pieces.

A table over the upper bits guesses the piece by one read; only the numbers behind a boundary inside their table cell (few,
unless the pieces are bunched) are searched for. So the cost hardly grows with the number of pieces.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

U32 = NDArray[np.uint32]
I32 = NDArray[np.int32]

#: The table has at most this many cells, in bits: it fits into a core's second cache.
TABLE_BITS = 16
LAST = 2**32 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """Pieces that begin at sorted, distinct `starts`; each reaches up to the next one, the last to `upto`."""

    starts: U32
    upto: int
    _shift: np.uint32
    _ends: U32
    _guess: I32

    @classmethod
    def over(cls, starts: NDArray[np.integer], upto: int = LAST) -> "Lookup":
        """Prepare the table; `starts` of shape (n,), n at least 1; no number over `upto` will be asked for."""
        begins = starts.astype(np.uint32)
        shift = max(0, upto.bit_length() - TABLE_BITS)
        cells = np.arange((upto >> shift) + 1, dtype=np.int64) << shift
        guess = np.maximum(np.searchsorted(begins, cells, side="right") - 1, 0)
        ends = np.append(begins[1:] - np.uint32(1), np.uint32(LAST))
        return cls(begins, upto, np.uint32(shift), ends, guess.astype(np.int32))

    def piece(self, numbers: NDArray[np.integer]) -> I32:
        """The piece that each number (at most `upto`) lies in, of shape (n,); 0 also for what lies before the first start."""
        given = numbers.astype(np.uint32, copy=False)
        slot: I32 = self._guess[given >> self._shift]
        behind = np.flatnonzero(given > self._ends[slot])
        if len(behind):
            slot[behind] = np.searchsorted(self.starts, given[behind], side="right") - 1
        return slot
