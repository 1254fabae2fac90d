"""The fast local peer: a DICOM server with canned answers on loopback, one epoll loop per process.

`python -m benchmarks.peer PORT MODE`; MODE is `echo` (accepts, echoes, releases) or `silent` (accepts connections, sends
nothing).
"""

import os
import resource
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from pipeline.testbed.hostile import answers

#: One process for each core except the client's.
PROCESSES = max(1, (os.cpu_count() or 2) - 1)


@dataclass(slots=True)
class Open:
    """A connection, and received bytes that are not a whole PDU yet."""

    socket: socket.socket
    unread: bytes = b""


def serve(port: int, mode: str) -> None:
    """Serve until killed."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # inherited by accepted connections
    listener.bind(("127.0.0.1", port))
    listener.listen(4096)
    listener.setblocking(False)
    epoll = select.epoll()
    epoll.register(listener, select.EPOLLIN)
    open_: dict[int, Open] = {}
    by_type: dict[int, bytes] = {}
    print("ready", flush=True)
    while True:
        for fd, _ in epoll.poll():
            if fd == listener.fileno():
                _accept_all(listener, epoll, open_)
            else:
                _answer(open_, fd, by_type if mode == "echo" else None)


def _accept_all(listener: socket.socket, epoll: select.epoll, open_: dict[int, "Open"]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return
        open_[connection.fileno()] = Open(connection)
        epoll.register(connection, select.EPOLLIN)


def _answer(open_: dict[int, "Open"], fd: int, by_type: dict[int, bytes] | None) -> None:
    """Answer each whole PDU received (PS3.8 §9.3.1: type, reserved, length)."""
    connection = open_[fd]
    try:
        data = connection.socket.recv(4096)
    except ConnectionError:
        data = b""
    if not data:
        open_.pop(fd).socket.close()
        return
    connection.unread += data
    while by_type is not None and len(connection.unread) >= 6:
        size = 6 + int.from_bytes(connection.unread[2:6], "big")
        if len(connection.unread) < size:
            return
        request, connection.unread = connection.unread[:size], connection.unread[size:]
        if request[0] == 1:
            by_type.update(_canned(request))
        connection.socket.send(by_type[request[0]])


@lru_cache(maxsize=8)
def _canned(request: bytes) -> dict[int, bytes]:
    """PDU type → answer to an A-ASSOCIATE-RQ (1), a P-DATA-TF (4) and an A-RELEASE-RQ (5), made once for each client."""
    return dict(zip((1, 4, 5), answers(request), strict=True))


@contextmanager
def running(mode: str) -> Iterator[int]:
    """Run the peer's processes; yield its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.peer", str(port), mode]
    peers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
    try:
        for peer in peers:
            if peer.stdout is None or peer.stdout.readline() != "ready\n":
                raise SystemExit("benchmarks: the local peer did not start")
        yield port
    finally:
        for peer in peers:
            peer.kill()
            peer.wait()


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    serve(int(sys.argv[1]), sys.argv[2])
