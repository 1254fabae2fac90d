"""Real servers on loopback, one process each."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address
from pathlib import Path

import pytest

LOOPBACK = int(IPv4Address("127.0.0.1"))
START_SECONDS = 15


def open_loopback(destination: str) -> socket.socket:
    """A guard that opens sockets to loopback only."""
    assert IPv4Address(destination).is_loopback
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)


def free_port() -> int:
    """A port without a listener."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def running(command: Sequence[object], port: int, folder: Path) -> Iterator[int]:
    """Run a server until the test is over; yield its port once it listens."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _await_listener(port, process, folder / "log")
        yield port
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # Node's launcher is a parent of Node
        process.communicate()


def _await_listener(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait for a listener, by the kernel's table: a bare connection could block a DICOM server."""
    end = time.monotonic() + START_SECONDS
    listening = re.compile(f":{port:04X} 0+:0000 0A")
    while not any(listening.search(Path(table).read_text()) for table in ("/proc/net/tcp", "/proc/net/tcp6")):
        if process.poll() is not None or time.monotonic() > end:
            pytest.fail(f"the server does not listen: {log.read_text(errors='replace')}")
        time.sleep(0.05)
