"""`struct tcp_info` of real connections on loopback."""

import socket

import pytest

from pipeline.associate.tcp_info import TcpInfo
from pipeline.outcome import Outcome


def test_an_answered_connection() -> None:
    """An open connection has a round-trip time, no retransmission and nothing unsent."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as sock:
        tcp_info = TcpInfo.of(sock)
    assert tcp_info.rtt > 0
    assert (tcp_info.total_retrans, tcp_info.notsent_bytes) == (0, 0)


def test_a_full_peer() -> None:
    """A peer that reads nothing closes its window, and the rest remains unsent."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as sock:
        sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                sock.send(bytes(65536))
        assert TcpInfo.of(sock).silence_outcome() is Outcome.ZERO_WINDOW


@pytest.mark.parametrize(
    ("unacked", "unsent", "outcome"),
    [(0, 0, Outcome.SILENT), (1, 0, Outcome.UNACKNOWLEDGED), (1, 1, Outcome.ZERO_WINDOW), (0, 1, Outcome.ZERO_WINDOW)],
)
def test_silence_outcome(unacked: int, unsent: int, outcome: Outcome) -> None:
    """Unsent bytes mean a closed window, unacknowledged bytes a vanished host; with neither, the peer is silent."""
    assert TcpInfo(unacked=unacked, rtt=1, total_retrans=0, notsent_bytes=unsent).silence_outcome() is outcome
