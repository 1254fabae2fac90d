"""Packet rings over a closed pair: an interface that drops loses none of our frames, and one that is stuck is told of."""

import socket
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from pipeline import guard, network, ring
from pipeline.errors import CensusError
from pipeline.ring import SEGMENT, SEGMENT_FRAME, SEGMENT_FRAMES, TransmitRing
from pipeline.testbed.closed import Pair, configure
from tests.test_xdp import SO_RCVBUFFORCE, TEMPLATE

LENGTHS = [60, 1000, 61, 1000, 62]


@pytest.fixture
def far(vantage: Pair) -> Iterator[socket.socket]:
    """The world's end of the pair, which drops what is longer than 100 bytes."""
    configure(vantage.world, "link set world0 mtu 100\n")
    monitor = network.inside(vantage.world, lambda: guard._packet_socket("world0", 0x88B5))
    monitor.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
    monitor.settimeout(2)
    with monitor:
        yield monitor


def send() -> None:
    """Send frames of these lengths."""
    sending = TransmitRing(guard.packet_socket("vantage0", 0), SEGMENT, SEGMENT_FRAME, SEGMENT_FRAMES)
    sending.frames(len(LENGTHS))["bytes"][:, : len(TEMPLATE)] = np.frombuffer(TEMPLATE, "u1")
    sending.lengths(len(LENGTHS))[:] = LENGTHS
    sending.send(len(LENGTHS))


def test_what_an_interface_drops_is_sent_again(vantage: Pair, far: socket.socket) -> None:
    """Frames that are dropped for a while leave as soon as they can, each once and in order, with those behind them."""
    opening = threading.Timer(0.3, configure, (vantage.world, "link set world0 mtu 1500\n"))
    opening.start()
    begun = time.monotonic()
    send()
    assert time.monotonic() - begun >= 0.2
    opening.join()
    assert [len(far.recv(4096)) for _ in LENGTHS] == LENGTHS
    far.setblocking(False)
    with pytest.raises(BlockingIOError):
        far.recv(1)


@pytest.mark.usefixtures("far")
def test_an_interface_that_is_stuck_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where frames are dropped for longer than that may last, one error says so."""
    monkeypatch.setattr(ring, "STUCK_SECONDS", 0.2)
    with pytest.raises(CensusError, match="the interface does not take frames: No buffer space available"):
        send()
