"""The last word on connections of ours: whose peer has not acknowledged our FIN some time after it, is sent a RST.

A lost FIN would otherwise leave the peer with a connection that nobody ever ends. What is remembered of a target meanwhile is one
number in its range's `slot`: how many bytes of ours are acknowledged when all are, the FIN counted as one.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.space.ranges import I64

#: How long a FIN may go unacknowledged, in seconds.
FIN_SECONDS = 1.0
#: Values of `slot`: no answer yet; over; over, and reset by us after our FIN; from CLOSING down, over but for our FIN.
UNSEEN, SETTLED, RESET, FIN_WAIT = -1, -2, -3, -16


class Waiting(NamedTuple):
    """Hosts of range `number` at these places, whose rows tell where both streams ended."""

    due: float
    number: int
    position: I64
    rows: NDArray[np.void]


def fin_wait_state(sent: int) -> int:
    """The value of `slot` until so many bytes are acknowledged; over at once where none are."""
    return FIN_WAIT - sent if sent else SETTLED


def acknowledged(slots: NDArray[np.int32], acked: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which targets that close have acknowledged all, by their slots and by how many bytes a segment acknowledges; shape (n,)."""
    done: NDArray[np.bool_] = (slots <= FIN_WAIT) & (acked.astype(np.int64) >= FIN_WAIT - slots)
    return done


@dataclass(slots=True)
class FinWaitQueue:
    """Who was sent a FIN, in that order."""

    _queue: deque[Waiting] = field(default_factory=deque)

    def add(self, number: int, position: I64, rows: NDArray[np.void], now: float) -> None:
        """These were sent our FIN."""
        self._queue.append(Waiting(now + FIN_SECONDS, number, position, rows))

    def due(self, now: float) -> Iterator[Waiting]:
        """Those that had time enough to acknowledge it."""
        while self._queue and self._queue[0].due <= now:
            yield self._queue.popleft()

    @property
    def next_due(self) -> float:
        """When the next have had it, in seconds of the clock; infinite if nobody is waited for."""
        return self._queue[0].due if self._queue else float("inf")
