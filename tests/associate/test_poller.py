"""One epoll and one heap of alarms behind an event loop, with real sockets."""

import asyncio
import gc
import socket
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from select import EPOLLIN

import pytest
import uvloop

from pipeline.associate.poller import Poller

RUNS: list[Callable[[Coroutine[object, object, None]], None]] = [asyncio.run, uvloop.run]


class Line:
    """One end of a pair of sockets, and what its poller called."""

    def __init__(self, poller: Poller, *, after: float = 60.0) -> None:
        self.poller = poller
        self.sock, self.peer = socket.socketpair()
        self.fd = self.sock.fileno()
        self.alarm_ns = time.monotonic_ns() + round(after * 1e9)
        self.heard: list[bytes] = []
        self.rang: list[int] = []
        poller.watch(self, EPOLLIN)

    def on_ready(self, _events: int) -> None:
        """Read."""
        self.heard.append(self.sock.recv(100))

    def on_alarm(self) -> None:
        """Note by how many ns it is late."""
        self.rang.append(time.monotonic_ns() - self.alarm_ns)

    def close(self) -> None:
        """Be forgotten and close."""
        self.poller.forget(self)
        self.sock.close()
        self.peer.close()


def descriptors() -> int:
    """How many descriptors this process holds."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("run", RUNS)
def test_what_is_ready_is_handled(run: Callable[[Coroutine[object, object, None]], None]) -> None:
    """Each of many sockets hears what its own peer sends, on asyncio's loop and on uvloop's."""

    async def story() -> None:
        lines = [Line(Poller.of(asyncio.get_running_loop())) for _ in range(300)]
        for number, line in enumerate(lines):
            line.peer.send(b"%d" % number)
        await asyncio.sleep(0.1)
        assert [line.heard for line in lines] == [[b"%d" % number] for number in range(300)]
        for line in lines:
            line.close()

    run(story())


def test_alarms_ring_once_and_in_time() -> None:
    """An alarm rings once, not before its time and soon after it, whatever order alarms were set in."""

    async def story() -> None:
        lines = [Line(Poller.of(asyncio.get_running_loop()), after=after) for after in (0.15, 0.05, 0.1, 0.05)]
        await asyncio.sleep(0.3)
        assert all(len(line.rang) == 1 and 0 <= line.rang[0] < 100e6 for line in lines)
        for line in lines:
            line.close()

    asyncio.run(story())


def test_what_is_ready_comes_before_an_alarm() -> None:
    """A process that was held up past a deadline first reads what had come, then rings."""

    async def story() -> None:
        order: list[str] = []
        lines = [Line(Poller.of(asyncio.get_running_loop()), after=0.05) for _ in range(600)]
        for line in lines:
            line.on_ready = lambda _events, line=line: order.append(f"read {line.sock.recv(9)!r}")  # type: ignore[method-assign,misc]
            line.on_alarm = lambda: order.append("alarm")  # type: ignore[method-assign]
            line.peer.send(b"x")
        time.sleep(0.1)
        await asyncio.sleep(0.05)
        assert order == ["read b'x'"] * 600 + ["alarm"] * 600
        for line in lines:
            line.close()

    asyncio.run(story())


def test_only_the_last_alarm_rings() -> None:
    """An alarm that is set anew, for sooner or for later, rings at its new time only."""

    async def story() -> None:
        lines = [Line(Poller.of(asyncio.get_running_loop()), after=after) for after in (60.0, 0.01)]
        for line in lines:
            line.alarm_ns = time.monotonic_ns() + 100_000_000
            line.poller.set_alarm(line)
        await asyncio.sleep(0.05)
        assert [line.rang for line in lines] == [[], []]
        await asyncio.sleep(0.15)
        assert [len(line.rang) for line in lines] == [1, 1]
        for line in lines:
            line.close()

    asyncio.run(story())


def test_a_descriptor_used_again() -> None:
    """A new visit on an old one's descriptor hears neither the old one's alarm nor its bytes."""

    async def story() -> None:
        poller = Poller.of(asyncio.get_running_loop())
        keeper, old = Line(poller), Line(poller, after=0.05)
        old.peer.send(b"old")
        old.close()
        new = Line(poller)
        assert new.fd == old.fd
        await asyncio.sleep(0.15)
        assert (old.heard, old.rang, new.heard, new.rang) == ([], [], [], [])
        keeper.close()
        new.close()

    asyncio.run(story())


def test_nothing_is_left_open() -> None:
    """With its last visit a poller is closed; the next visit has a new one."""

    async def story() -> None:
        loop, before = asyncio.get_running_loop(), descriptors()
        first = Poller.of(loop)
        lines = [Line(first), Line(first)]
        assert Poller.of(loop) is first
        for line in lines:
            line.close()
        assert descriptors() == before
        assert Poller.of(loop) is not first
        Line(Poller.of(loop)).close()

    asyncio.run(story())
