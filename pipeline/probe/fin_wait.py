"""FIN-WAIT: a peer that has not acknowledged our FIN after some time is sent a RST.

Without it, a lost FIN would leave the peer with a connection that nobody ever ends. The connection's row is free by then. What is
remembered of the target is one number in its range (`OpenRange.state`): how many bytes of ours are to be acknowledged, with the FIN
counted as one.

States of a target are negative, or the slot of its connection:

    UNSEEN    ── SYN-ACK ──→ slot ≥ 0 (greeted) ── our FIN, n bytes sent ──→ FIN_WAIT − n
    UNSEEN    ── SYN-ACK, not greeted ──→ SETTLED
    slot ≥ 0  ── over without a FIN of ours ──→ SETTLED
    FIN_WAIT − n  ── n bytes acknowledged, or a RST ──→ SETTLED
    FIN_WAIT − n  ── FIN_SECONDS later ──→ RESET
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
#: States of a target: no answer yet; over; over, and reset by us after our FIN; FIN_WAIT and below: our FIN is not acknowledged.
UNSEEN, SETTLED, RESET, FIN_WAIT = -1, -2, -3, -16


class FinWaiting(NamedTuple):
    """Hosts that were sent our FIN, with targets at these positions of an open range; `rows` show where both streams ended."""

    due: float
    serial: int
    position: I64
    rows: NDArray[np.void]


def fin_wait_state(sent: int) -> int:
    """The state of a target until `sent` bytes are acknowledged; SETTLED if that is 0."""
    return FIN_WAIT - sent if sent else SETTLED


def acknowledged(state: NDArray[np.int32], acked: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which targets in FIN-WAIT have acknowledged everything, by how many bytes a segment acknowledges; shape (n,)."""
    done: NDArray[np.bool_] = (state <= FIN_WAIT) & (acked.astype(np.int64) >= FIN_WAIT - state)
    return done


@dataclass(slots=True)
class FinWaitQueue:
    """Hosts that were sent our FIN, in that order."""

    _queue: deque[FinWaiting] = field(default_factory=deque)

    def add(self, serial: int, position: I64, rows: NDArray[np.void], now: float) -> None:
        """These were sent our FIN now."""
        self._queue.append(FinWaiting(now + FIN_SECONDS, serial, position, rows))

    def due(self, now: float) -> Iterator[FinWaiting]:
        """Yield those whose time to acknowledge it is over."""
        while self._queue and self._queue[0].due <= now:
            yield self._queue.popleft()

    def clear(self) -> None:
        """Forget all of them."""
        self._queue.clear()

    @property
    def next_due(self) -> float:
        """When the next time is over, in seconds of the clock; infinite if nothing is in the queue."""
        return self._queue[0].due if self._queue else float("inf")
