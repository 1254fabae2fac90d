"""Packet rings: bytes stay with their packet; frames that an interface drops are sent again; a stuck interface is an error."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.guard import namespaces, sockets
from pipeline.rings import packet_ring, receive
from pipeline.rings.packet_ring import SEGMENT_FRAMES, TransmitRing
from pipeline.rings.receive import Received
from pipeline.rings.transmit import SEGMENT, SEGMENT_FRAME
from pipeline.testbed.closed import NamespacePair, configure
from pipeline.wire.packet import ACK, FIN, PSH, SNAP
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
        frame["snap_length"], frame["net"], frame["mac"] = len(packet) + 14, 80, 66
        frame["long"][: len(packet)] = np.frombuffer(packet, "u1")
    made = Received.of(frames, np.arange(len(packets)))
    number, begin, size = np.array(places, dtype=np.int64).reshape(-1, 3).T
    found = made.bytes_of(number, begin.astype(np.uint16), size.astype(np.uint16))
    longest = max(SNAP, *map(len, packets))
    padded = [packet.ljust(SNAP if len(packet) <= SNAP else longest + longest % 2, b"\0") for packet in packets]
    assert found == [padded[frame][first : first + count] for frame, first, count in places]
    assert len(made.intact()) == len(packets)


def send(sending: TransmitRing, numbers: list[int]) -> list[int]:
    """Send those of the frames with these numbers; the numbers of those that have not left."""
    sending.frames(len(numbers))["bytes"][:, : len(TEMPLATE)] = np.frombuffer(TEMPLATE, "u1")
    sending.lengths(len(numbers))[:] = [LENGTHS[number] for number in numbers]
    return [numbers[index] for index in sending.send(len(numbers))]


def ring() -> TransmitRing:
    """A ring of large frames at the vantage."""
    return TransmitRing(sockets.packet_socket("vantage0", 0), SEGMENT, SEGMENT_FRAME, SEGMENT_FRAMES)


def nothing_more(far: socket.socket) -> bool:
    """Whether no further frame has arrived."""
    far.setblocking(False)
    try:
        return not far.recv(1)
    except BlockingIOError:
        return True


def test_a_short_drop_loses_nothing(
    vantage: NamespacePair, far: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames that are dropped for less than the ring's patience leave as soon as they can, each once and in order."""
    monkeypatch.setattr(packet_ring, "PATIENCE_SECONDS", 10.0)
    opening = threading.Timer(0.3, configure, (vantage.world, "link set world0 mtu 1500\n"))
    opening.start()
    begun = time.monotonic()
    assert send(ring(), list(range(len(LENGTHS)))) == []
    assert time.monotonic() - begun >= 0.2
    opening.join()
    assert [len(far.recv(4096)) for _ in LENGTHS] == LENGTHS
    assert nothing_more(far)


def test_what_an_interface_drops_comes_back(vantage: NamespacePair, far: socket.socket) -> None:
    """Frames that do not leave in time come back in order with those behind them, and leave once when they are sent again."""
    sending = ring()
    refused = send(sending, list(range(len(LENGTHS))))
    assert (refused, sending.rejected) == ([1, 2, 3, 4], 4)
    assert sending.room(SEGMENT_FRAMES) == SEGMENT_FRAMES - 1
    configure(vantage.world, "link set world0 mtu 1500\n")
    assert send(sending, refused) == []
    assert [len(far.recv(4096)) for _ in LENGTHS] == LENGTHS
    assert nothing_more(far)


@pytest.mark.parametrize("down", ["vantage", "world"])
def test_a_link_that_is_down_takes_nothing(vantage: NamespacePair, far: socket.socket, down: str) -> None:
    """While the interface is down or has no carrier all frames come back; when it is up again they leave."""
    sending, numbers = ring(), [0, 2, 4]
    configure(getattr(vantage, down), f"link set {down}0 down\n")
    assert send(sending, numbers) == numbers
    configure(getattr(vantage, down), f"link set {down}0 up\n")
    with suppress(OSError):  # that the link was down
        far.recv(1)
    assert send(sending, numbers) == []
    assert [len(far.recv(4096)) for _ in numbers] == [LENGTHS[number] for number in numbers]
    assert nothing_more(far)


def test_what_is_joined_is_cut() -> None:
    """Of a packet that is longer than a slot the first bytes are read, as a packet of that length without a FIN."""
    packet = np.zeros(receive.LONGEST, "u1")
    packet[:4], packet[receive.FLAGS] = (0x45, 0, 0x20, 0), FIN | PSH | ACK
    frames = np.zeros(2, receive._receive_type())
    frames["net"], frames["mac"] = receive.NET_OFFSET, receive.NET_OFFSET - 14
    frames["long"], frames["snap_length"] = packet, (receive.LONGEST + 14, 60 + 14)
    made = Received.of(frames, np.arange(2))
    made.cut(np.array([True, False]))
    for rows in (made.packets, made.long):
        assert int(rows[0, 2]) << 8 | int(rows[0, 3]) == made.lengths[0] == receive.LONGEST
        assert rows[0, receive.FLAGS] == ACK
    assert made.packets[1, receive.FLAGS] == FIN | PSH | ACK
