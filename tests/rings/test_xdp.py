"""AF_XDP over a closed pair: frames arrive in order and once; drops are counted; each queue has one owner."""

import socket
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest

from pipeline.engines import Engine
from pipeline.errors import GuardError
from pipeline.guard import namespaces, sockets
from pipeline.guard.proof import TESTBED
from pipeline.guard.sockets import ONLY_TESTBED
from pipeline.rings.transmit import RefusedError
from pipeline.rings.xdp import PROBES, Port
from pipeline.testbed.closed import NamespacePair, configure
from pipeline.wire.packet import FRAME
from tests.rings.far_end import wait_for_carrier

SO_RCVBUFFORCE = 33  # asm-generic/socket.h
#: A frame of an EtherType for experiments (IEEE 802), which only this test reads.
TEMPLATE = bytes.fromhex("0200c6120002 0200c6120001 88b5") + bytes(FRAME.itemsize - 14)


def watching(pair: NamespacePair, protocol: int = 0x88B5) -> socket.socket:
    """A socket that sees the frames of a protocol at the world's end of a pair."""
    monitor = namespaces.inside(pair.world, lambda: sockets._packet_socket("world0", protocol))
    monitor.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
    monitor.settimeout(2)
    return monitor


@pytest.fixture
def far(vantage: NamespacePair) -> Iterator[socket.socket]:
    """The world's end of the pair."""
    with watching(vantage) as monitor:
        yield monitor


def numbers(far: socket.socket, count: int) -> list[int]:
    """The numbers of the next `count` frames."""
    return [int.from_bytes(far.recv(4096)[30:34]) for _ in range(count)]


@pytest.mark.usefixtures("vantage")
def test_frames_arrive_in_order_and_once(far: socket.socket) -> None:
    """Each probe arrives as filled, even if there are more probes than frames in the ring, and no other frame arrives."""
    probes = Port("vantage0").probes.with_template(TEMPLATE)
    sent = 0
    while sent < 2 * PROBES + 5:
        count = probes.room(min(5000, 2 * PROBES + 5 - sent))
        probes.frames(count)["destination"] = np.arange(sent, sent + count)
        probes.send(count)
        assert numbers(far, count) == list(range(sent, sent + count))
        sent += count
    far.setblocking(False)
    with pytest.raises(BlockingIOError):
        far.recv(1)
    assert (probes.engine, probes.rejected) == (Engine.XDP, 0)


@pytest.mark.usefixtures("vantage")
def test_both_sizes_share_a_port(far: socket.socket) -> None:
    """Probes and segments of any length alternate, each keeps its own bytes, and the frames of both are freed."""
    port = Port("vantage0")
    probes, segments = port.probes.with_template(TEMPLATE), port.segments
    for turn in range(3000):
        probes.frames(1)["destination"] = turn
        probes.send(1)
        length = 60 + turn % 1400
        segments.frames(1)["bytes"][:, :length] = np.frombuffer(
            TEMPLATE[:14] + bytes([turn % 251]) * (length - 14), "u1"
        )
        segments.lengths(1)[:] = length
        segments.send(1)
        assert numbers(far, 1) == [turn]
        assert far.recv(4096) == TEMPLATE[:14] + bytes([turn % 251]) * (length - 14)
        assert (probes.room(1), segments.room(1)) == (1, 1)


def test_what_the_interface_drops_is_counted(vantage: NamespacePair, far: socket.socket) -> None:
    """Frames that are too long for the other end are counted, and the frames after them are still sent."""
    configure(vantage.world, "link set world0 mtu 100\n")
    port = Port("vantage0")
    segments = port.segments
    segments.frames(6)["bytes"][:, : len(TEMPLATE)] = np.frombuffer(TEMPLATE, "u1")
    segments.lengths(6)[:] = [1000, 1000, 60, 1000, 61, 62]
    assert segments.send(6).tolist() == [0, 1, 3]
    assert [len(far.recv(4096)) for _ in range(3)] == [60, 61, 62]
    assert port.rejected == 3
    assert segments.room(6) == 6


@pytest.mark.parametrize("down", ["vantage", "world"])
def test_a_link_that_is_down_takes_nothing(vantage: NamespacePair, far: socket.socket, down: str) -> None:
    """While the interface is down or has no carrier every frame comes back; later only frames that are sent again leave."""
    probes = Port("vantage0").probes.with_template(TEMPLATE)

    def send(begin: int) -> list[int]:
        probes.frames(100)["destination"] = np.arange(begin, begin + 100)
        return probes.send(100).tolist()

    assert send(0) == []
    assert numbers(far, 100) == list(range(100))
    configure(getattr(vantage, down), f"link set {down}0 down\n")
    assert send(100) == send(200) == list(range(100))
    assert probes.rejected == 200
    configure(getattr(vantage, down), f"link set {down}0 up\n")
    with suppress(OSError):  # that the link was down
        far.recv(1)
    wait_for_carrier(vantage)
    assert probes.room(PROBES) == PROBES - 300
    assert send(300) == []
    assert numbers(far, 100) == list(range(300, 400))
    assert probes.rejected == 200
    far.setblocking(False)
    with pytest.raises(BlockingIOError):
        far.recv(1)


@pytest.mark.usefixtures("vantage")
def test_a_queue_has_one_owner() -> None:
    """An interface with one queue has one port; a second port is refused with the reason."""
    port = Port("vantage0")
    with pytest.raises(RefusedError, match="vantage0: Device or resource busy"):
        Port("vantage0")
    assert port.probes.room(1) == 1


def test_nothing_is_made_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of a testbed no port is made, and there is no fallback to another way of sending."""
    monkeypatch.setenv(ONLY_TESTBED, "1")
    monkeypatch.delenv(TESTBED, raising=False)
    with pytest.raises(GuardError):
        Port("vantage0")
