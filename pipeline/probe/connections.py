"""The connection table: a row of some fifty bytes for each greeted host, in arrays that grow, and queues of timers.

A host's *slot* is the number of its row. All greeted hosts have the same timeout, so a timer wheel is just a queue: the host that
was greeted first is due first.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Slots = NDArray[np.int64]

#: States of a connection: the row is free; greeted, and no byte of the peer's yet; a `Flow` has it; over, until the row is free again.
FREE, GREETED, FLOWING, OVER = range(4)
CONNECTION = np.dtype(
    [
        ("state", "u1"),
        ("zero_window", "?"),  # the peer's window is closed, and the request has not been sent
        ("ttl", "u1"),
        ("port", "u2"),
        ("our_port", "u2"),
        ("window", "u2"),
        ("acked", "u2"),  # bytes of ours that the peer has acknowledged
        ("address", "u4"),
        ("sequence", "u4"),  # of the first byte after our SYN
        ("next", "u4"),  # the peer's byte that we expect
        ("rtt_us", "u4"),
        ("serial", "u4"),  # of the open range that the target is in
        ("position", "i4"),  # of the target in its range
        ("options", "u8"),
        ("answered_at", "i8"),  # µs since the epoch
        ("began_us", "i8"),  # the same moment on the monotonic clock
        ("timed_out", "?"),  # its patience is over; if a flow has it, the row is free when the flow ends
    ]
)
INITIAL_ROWS = 1024


@dataclass(slots=True)
class ConnectionTable:
    """The rows, and which of them are free."""

    rows: NDArray[np.void] = field(default_factory=lambda: np.zeros(INITIAL_ROWS, dtype=CONNECTION))
    free: list[Slots] = field(default_factory=lambda: [np.arange(INITIAL_ROWS)])

    def __len__(self) -> int:
        """How many rows are in use."""
        return len(self.rows) - sum(map(len, self.free))

    def allocate(self, count: int) -> Slots:
        """Slots for `count` more hosts; the arrays double when there are too few."""
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
        """Double the rows; the new ones take no memory before they are used."""
        before, smaller = len(self.rows), self.rows
        self.rows = np.zeros(2 * before, dtype=CONNECTION)
        self.rows[:before] = smaller
        self.free.append(np.arange(before, 2 * before))

    def release(self, slots: Slots) -> None:
        """Free these slots."""
        self.rows["state"][slots] = FREE
        if len(slots):
            self.free.append(slots)


@dataclass(slots=True)
class TimerQueue:
    """Slots by when they are due: all of them `delay` seconds after they were added."""

    delay: float
    _queue: deque[tuple[float, Slots]] = field(default_factory=deque)

    def add(self, slots: Slots, now: float) -> None:
        """Start the timers of these slots."""
        self._queue.append((now + self.delay, slots))

    def due(self, now: float) -> Iterator[Slots]:
        """Yield the slots whose time is over, in the order in which they were added."""
        while self._queue and self._queue[0][0] <= now:
            yield self._queue.popleft()[1]

    @property
    def next_due(self) -> float:
        """When the next slots are due, in seconds of the clock; infinite if there are none."""
        return self._queue[0][0] if self._queue else float("inf")
