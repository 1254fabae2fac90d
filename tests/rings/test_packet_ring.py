"""Packet rings: bytes stay with their packet; frames that an interface drops are sent again; a stuck interface is an error."""

import socket
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import CensusError
from pipeline.guard import namespaces, sockets
from pipeline.rings import packet_ring, receive
from pipeline.rings.packet_ring import SEGMENT_FRAMES, TransmitRing
from pipeline.rings.receive import Received
from pipeline.rings.transmit import SEGMENT, SEGMENT_FRAME
from pipeline.testbed.closed import NamespacePair, configure
from pipeline.wire.packet import SNAP
from tests.rings.test_xdp import SO_RCVBUFFORCE, TEMPLATE

LENGTHS = [60, 1000, 61, 1000, 62]


@pytest.fixture
def far(vantage: NamespacePair) -> Iterator[socket.socket]:
    """The world's end of the pair, which drops packets longer than 100 bytes."""
    configure(vantage.world, "link set world0 mtu 100\n")
    monitor = namespaces.inside(vantage.world, lambda: sockets._packet_socket("world0", 0x88B5))
    monitor.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
    monitor.settimeout(2)
    with monitor:
        yield monitor


@st.composite
def received(draw: st.DrawFn) -> tuple[list[bytes], list[tuple[int, int, int]]]:
    """IP packets as they lie in a ring, and slices of them: frame, first byte, and length."""
    packets = draw(st.lists(st.binary(min_size=1, max_size=3 * SNAP), min_size=1, max_size=6))
    place = st.tuples(st.integers(0, len(packets) - 1), st.integers(0, 80), st.sampled_from([0, 1, 7, 80, 900, 65535]))
    return packets, draw(st.lists(place, max_size=8))


@given(received())
def test_bytes_are_those_of_their_own_packet(case: tuple[list[bytes], list[tuple[int, int, int]]]) -> None:
    """However many bytes a packet claims to have, only its own bytes are read, as a slice would: none of another packet."""
    packets, places = case
    frames = np.zeros(len(packets), receive._receive_type())
    for frame, packet in zip(frames, packets, strict=True):
        frame["snap_length"] = len(packet) + 14
        frame["long"][: len(packet)] = np.frombuffer(packet, "u1")
    made = Received.of(frames, np.arange(len(packets)))
    number, begin, size = np.array(places, dtype=np.int64).reshape(-1, 3).T
    found = made.bytes_of(number, begin.astype(np.uint16), size.astype(np.uint16))
    longest = max(SNAP, *map(len, packets))
    padded = [packet.ljust(SNAP if len(packet) <= SNAP else longest + longest % 2, b"\0") for packet in packets]
    assert found == [padded[frame][first : first + count] for frame, first, count in places]
    assert len(made.intact()) == len(packets)


def send() -> None:
    """Send frames of these lengths."""
    sending = TransmitRing(sockets.packet_socket("vantage0", 0), SEGMENT, SEGMENT_FRAME, SEGMENT_FRAMES)
    sending.frames(len(LENGTHS))["bytes"][:, : len(TEMPLATE)] = np.frombuffer(TEMPLATE, "u1")
    sending.lengths(len(LENGTHS))[:] = LENGTHS
    sending.send(len(LENGTHS))


def test_what_an_interface_drops_is_sent_again(vantage: NamespacePair, far: socket.socket) -> None:
    """Frames that are dropped for a while are sent as soon as possible, each once and in order, before the frames after them."""
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
def test_an_interface_that_is_stuck_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """If frames are dropped for too long, one error reports it."""
    monkeypatch.setattr(packet_ring, "STUCK_SECONDS", 0.2)
    with pytest.raises(CensusError, match="the interface does not accept frames: No buffer space available"):
        send()
