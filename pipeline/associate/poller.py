"""One epoll for the sockets of all visits and one heap for their deadlines, behind one descriptor of the event loop.

An event loop makes several objects and system calls each time it is asked to watch a socket; a visit would ask five
times. Here a visit's socket is registered once, and what is ready is handled in one callback with plain method calls.
"""

import asyncio
import select
import time
from heapq import heappop, heappush
from typing import Protocol

#: Alarms between two looks at what is ready: they take some 10 ms.
ALARMS = 256


class Watched(Protocol):
    """What a poller watches: a descriptor, the steps to take when something happens, and when to look at its deadline."""

    fd: int
    alarm_ns: int

    def on_ready(self, events: int) -> None:
        """The socket is ready for some of what was asked, or broken."""

    def on_alarm(self) -> None:
        """The time has come to look at the deadline."""


class Poller:
    """The visits of one event loop. It is there while there are any: `of` makes it, the last `forget` closes it."""

    __slots__ = ("_epoll", "_heap", "_loop", "_timer", "_timer_ns", "_watched")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._epoll = select.epoll()
        self._watched: dict[int, Watched] = {}
        self._heap: list[tuple[int, int]] = []  # (when, descriptor); counts only if it is that visit's last alarm
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

    def watch(self, line: Watched, events: int) -> None:
        """Watch a visit's socket for these events, in addition to its end or failure."""
        self._watched[line.fd] = line
        self._epoll.register(line.fd, events)
        self.set_alarm(line)

    def change(self, line: Watched, events: int) -> None:
        """Watch the socket for other events from now on."""
        self._epoll.modify(line.fd, events)

    def set_alarm(self, line: Watched) -> None:
        """Call `on_alarm` at the visit's `alarm_ns` (of the monotonic clock), and not when it was set before."""
        heappush(self._heap, (line.alarm_ns, line.fd))
        if self._timer is None or line.alarm_ns < self._timer_ns:
            self._set_timer()

    def forget(self, line: Watched) -> None:
        """Watch no more. The caller closes the socket at once, by which it leaves the epoll."""
        if self._watched.get(line.fd) is line:
            del self._watched[line.fd]
            if not self._watched:
                self._close()

    def _on_batch(self) -> None:
        """Handle all that is ready."""
        watched = self._watched
        for fd, events in self._epoll.poll(0, len(watched)):
            line = watched.get(fd)
            if line is not None:
                line.on_ready(events)

    def _on_time(self) -> None:
        """Ring the alarms that are due, after what is ready: what came while we were late to look came in time."""
        self._timer = None
        now = time.monotonic_ns()
        while self._heap and self._heap[0][0] <= now:
            self._on_batch()
            self._ring(now)
        while self._heap and self._current(*self._heap[0]) is None:
            heappop(self._heap)
        if self._heap:
            self._set_timer()

    def _ring(self, now: int) -> None:
        """Ring some of the alarms that are due."""
        for _ in range(ALARMS):
            if not self._heap or self._heap[0][0] > now:
                return
            line = self._current(*heappop(self._heap))
            if line is not None:
                line.on_alarm()

    def _current(self, alarm_ns: int, fd: int) -> Watched | None:
        """The visit that still waits for this alarm: it may be over or have set another, its descriptor may be another's."""
        line = self._watched.get(fd)
        return line if line is not None and line.alarm_ns == alarm_ns else None

    def _set_timer(self) -> None:
        """Let the loop's one timer ring at the next alarm."""
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


#: The pollers that have visits, by loop: a process has one loop, tests have several.
_pollers: dict[asyncio.AbstractEventLoop, Poller] = {}
