"""One epoll for the sockets of all visits and one heap for their deadlines, behind one descriptor of the event loop.

asyncio makes several objects and system calls each time it starts to watch a socket, which it would do five times per
visit. Here a visit's socket is registered once, and one callback handles all ready sockets with plain method calls.
"""

import asyncio
import select
import time
from heapq import heappop, heappush
from typing import Protocol

#: Alarms to ring before looking at ready sockets again: these take about 10 ms.
ALARMS_PER_BATCH = 256


class Pollable(Protocol):
    """What a poller needs of a connection: its descriptor, when to call `on_alarm`, and the two callbacks."""

    fd: int
    alarm_ns: int

    def on_ready(self, events: int) -> None:
        """The socket is ready for some of the watched events, or has failed."""

    def on_alarm(self) -> None:
        """`alarm_ns` has passed: check the deadline."""


class Poller:
    """The connections of one event loop. `of` makes the poller on demand, and the last `forget` closes it."""

    __slots__ = ("_by_fd", "_epoll", "_heap", "_loop", "_timer", "_timer_ns")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._epoll = select.epoll()
        self._by_fd: dict[int, Pollable] = {}
        self._heap: list[tuple[int, int]] = []  # (when, descriptor); stale unless it equals the connection's `alarm_ns`
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns = 0
        loop.add_reader(self._epoll.fileno(), self._on_batch)

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> "Poller":
        """The loop's poller."""
        poller = _pollers.get(loop)
        if poller is None:
            poller = _pollers[loop] = cls(loop)
        return poller

    def watch(self, connection: Pollable, events: int) -> None:
        """Watch a connection for these events, and always for its end or failure."""
        self._by_fd[connection.fd] = connection
        self._epoll.register(connection.fd, events)
        self.set_alarm(connection)

    def change(self, connection: Pollable, events: int) -> None:
        """Watch for other events from now on."""
        self._epoll.modify(connection.fd, events)

    def set_alarm(self, connection: Pollable) -> None:
        """Call `on_alarm` at the connection's `alarm_ns` (monotonic clock); this replaces its earlier alarm."""
        heappush(self._heap, (connection.alarm_ns, connection.fd))
        if self._timer is None or connection.alarm_ns < self._timer_ns:
            self._set_timer()

    def forget(self, connection: Pollable) -> None:
        """Stop watching. The caller then closes the socket, which removes it from the epoll."""
        if self._by_fd.get(connection.fd) is connection:
            del self._by_fd[connection.fd]
            if not self._by_fd:
                self._close()

    def _on_batch(self) -> None:
        """Handle all ready connections."""
        watched = self._by_fd
        for fd, events in self._epoll.poll(0, len(watched)):
            connection = watched.get(fd)
            if connection is not None:
                connection.on_ready(events)

    def _on_time(self) -> None:
        """Ring the due alarms, but handle ready sockets first: bytes that came while we were busy came in time."""
        self._timer = None
        now = time.monotonic_ns()
        while self._heap and self._heap[0][0] <= now:
            self._on_batch()
            self._ring(now)
        while self._heap and self._waiting_for(*self._heap[0]) is None:
            heappop(self._heap)
        if self._heap:
            self._set_timer()

    def _ring(self, now: int) -> None:
        """Ring a batch of the due alarms."""
        for _ in range(ALARMS_PER_BATCH):
            if not self._heap or self._heap[0][0] > now:
                return
            connection = self._waiting_for(*heappop(self._heap))
            if connection is not None:
                connection.on_alarm()

    def _waiting_for(self, alarm_ns: int, fd: int) -> Pollable | None:
        """The connection whose current alarm this is; None if it has closed, moved its alarm or lost its descriptor to another."""
        connection = self._by_fd.get(fd)
        return connection if connection is not None and connection.alarm_ns == alarm_ns else None

    def _set_timer(self) -> None:
        """Set the loop's one timer to the next alarm."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer_ns = self._heap[0][0]
        self._timer = self._loop.call_later(max(0, self._timer_ns - time.monotonic_ns()) / 1e9, self._on_time)

    def _close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._heap.clear()
        del _pollers[self._loop]
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()


#: The pollers in use, by loop: a process has one loop, tests have several.
_pollers: dict[asyncio.AbstractEventLoop, Poller] = {}
