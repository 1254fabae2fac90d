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


class Connection:
    """One end of a socket pair, and the calls of its poller."""

    def __init__(self, poller: Poller, *, after: float = 60.0) -> None:
        self.poller = poller
        self.sock, self.peer = socket.socketpair()
        self.fd = self.sock.fileno()
        self.alarm_ns = time.monotonic_ns() + round(after * 1e9)
        self.received: list[bytes] = []
        self.delays_ns: list[int] = []
        poller.watch(self, EPOLLIN)

    def on_ready(self, _events: int) -> None:
        """Read."""
        self.received.append(self.sock.recv(100))

    def on_alarm(self) -> None:
        """Record the alarm's delay in ns."""
        self.delays_ns.append(time.monotonic_ns() - self.alarm_ns)

    def close(self) -> None:
        """Stop watching the socket, and close it."""
        self.poller.forget(self)
        self.sock.close()
        self.peer.close()


def descriptors() -> int:
    """The number of descriptors that this process has open."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("run", RUNS)
def test_what_is_ready_is_handled(run: Callable[[Coroutine[object, object, None]], None]) -> None:
    """Each of many sockets receives what its own peer sends, on asyncio's loop and on uvloop's."""

    async def scenario() -> None:
        connections = [Connection(Poller.of(asyncio.get_running_loop())) for _ in range(300)]
        for number, connection in enumerate(connections):
            connection.peer.send(b"%d" % number)
        await asyncio.sleep(0.1)
        assert [connection.received for connection in connections] == [[b"%d" % number] for number in range(300)]
        for connection in connections:
            connection.close()

    run(scenario())


def test_alarms_ring_once_and_in_time() -> None:
    """An alarm rings once, not before its time and soon after it, in whatever order alarms were set."""

    async def scenario() -> None:
        connections = [
            Connection(Poller.of(asyncio.get_running_loop()), after=after) for after in (0.15, 0.05, 0.1, 0.05)
        ]
        await asyncio.sleep(0.3)
        assert all(
            len(connection.delays_ns) == 1 and 0 <= connection.delays_ns[0] < 100e6 for connection in connections
        )
        for connection in connections:
            connection.close()

    asyncio.run(scenario())


def test_what_is_ready_comes_before_an_alarm() -> None:
    """A process that was busy past a deadline first reads the received bytes, then rings the alarm."""

    async def scenario() -> None:
        order: list[str] = []
        connections = [Connection(Poller.of(asyncio.get_running_loop()), after=0.05) for _ in range(600)]
        for connection in connections:
            connection.on_ready = lambda _events, connection=connection: order.append(
                f"read {connection.sock.recv(9)!r}"
            )  # type: ignore[method-assign,misc]
            connection.on_alarm = lambda: order.append("alarm")  # type: ignore[method-assign]
            connection.peer.send(b"x")
        time.sleep(0.1)
        await asyncio.sleep(0.05)
        assert order == ["read b'x'"] * 600 + ["alarm"] * 600
        for connection in connections:
            connection.close()

    asyncio.run(scenario())


def test_only_the_last_alarm_rings() -> None:
    """An alarm that is moved, forward or back, rings at its new time only."""

    async def scenario() -> None:
        connections = [Connection(Poller.of(asyncio.get_running_loop()), after=after) for after in (60.0, 0.01)]
        for connection in connections:
            connection.alarm_ns = time.monotonic_ns() + 100_000_000
            connection.poller.set_alarm(connection)
        await asyncio.sleep(0.05)
        assert [connection.delays_ns for connection in connections] == [[], []]
        await asyncio.sleep(0.15)
        assert [len(connection.delays_ns) for connection in connections] == [1, 1]
        for connection in connections:
            connection.close()

    asyncio.run(scenario())


def test_a_descriptor_used_again() -> None:
    """A new connection on a reused descriptor gets neither the alarm nor the bytes of the old one."""

    async def scenario() -> None:
        poller = Poller.of(asyncio.get_running_loop())
        keeper, old = Connection(poller), Connection(poller, after=0.05)
        old.peer.send(b"old")
        old.close()
        new = Connection(poller)
        assert new.fd == old.fd
        await asyncio.sleep(0.15)
        assert (old.received, old.delays_ns, new.received, new.delays_ns) == ([], [], [], [])
        keeper.close()
        new.close()

    asyncio.run(scenario())


def test_nothing_is_left_open() -> None:
    """A poller is closed with its last connection; the next connection gets a new one."""

    async def scenario() -> None:
        loop, before = asyncio.get_running_loop(), descriptors()
        first = Poller.of(loop)
        connections = [Connection(first), Connection(first)]
        assert Poller.of(loop) is first
        for connection in connections:
            connection.close()
        assert descriptors() == before
        assert Poller.of(loop) is not first
        Connection(Poller.of(loop)).close()

    asyncio.run(scenario())
