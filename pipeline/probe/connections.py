"""What is kept of a host that was greeted: a row of some fifty bytes, in arrays that grow, and queues that tell whose time is over.

Every greeted host has the same patience, so a wheel is a queue: who was greeted first is due first.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Slots = NDArray[np.int64]

FREE, GREETED, FLOWING, OVER = range(4)
CONNECTION = np.dtype(
    [
        ("state", "u1"),
        ("shut", "?"),  # the peer's window is closed, and the request has not been sent
        ("ttl", "u1"),
        ("port", "u2"),
        ("our_port", "u2"),
        ("window", "u2"),
        ("acked", "u2"),  # bytes of ours that the peer has acknowledged
        ("address", "u4"),
        ("sequence", "u4"),  # of the first byte after our SYN
        ("next", "u4"),  # what we expect of the peer
        ("rtt_us", "u4"),
        ("range", "u4"),
        ("position", "i4"),
        ("options", "u8"),
        ("answered_at", "i8"),  # µs since the epoch
        ("began_us", "i8"),  # the same moment on the monotonic clock
        ("aged", "?"),  # its patience is over; what still talks is given back when it ends
    ]
)
INITIAL_ROWS = 1024


@dataclass(slots=True)
class Connections:
    """The rows, and which of them are free."""

    rows: NDArray[np.void] = field(default_factory=lambda: np.zeros(INITIAL_ROWS, dtype=CONNECTION))
    free: list[Slots] = field(default_factory=lambda: [np.arange(INITIAL_ROWS)])

    def __len__(self) -> int:
        """How many are in use."""
        return len(self.rows) - sum(map(len, self.free))

    def take(self, count: int) -> Slots:
        """Slots for so many more hosts; the arrays double when there are too few."""
        taken: list[Slots] = []
        while count:
            if not self.free:
                self._grow()
            last = self.free.pop()
            taken.append(last[:count])
            if len(last) > count:
                self.free.append(last[count:])
            count -= len(taken[-1])
        return np.concatenate(taken) if taken else np.zeros(0, dtype=np.int64)

    def _grow(self) -> None:
        """Twice as many rows; the new ones take no memory before they are used."""
        before, smaller = len(self.rows), self.rows
        self.rows = np.zeros(2 * before, dtype=CONNECTION)
        self.rows[:before] = smaller
        self.free.append(np.arange(before, 2 * before))

    def give_back(self, slots: Slots) -> None:
        """These slots are free again."""
        self.rows["state"][slots] = FREE
        if len(slots):
            self.free.append(slots)


@dataclass(slots=True)
class TimerQueue:
    """Slots by when they are due, for one patience in seconds."""

    patience: float
    _waiting: deque[tuple[float, Slots]] = field(default_factory=deque)

    def add(self, slots: Slots, now: float) -> None:
        """These are due after the patience."""
        self._waiting.append((now + self.patience, slots))

    def due(self, now: float) -> Iterator[Slots]:
        """Those whose time is over."""
        while self._waiting and self._waiting[0][0] <= now:
            yield self._waiting.popleft()[1]

    @property
    def next_due(self) -> float:
        """When the next of them are due, in seconds of the clock; infinite if nobody waits."""
        return self._waiting[0][0] if self._waiting else float("inf")
