"""What Linux says of real connections on loopback."""

import socket

import pytest

from pipeline.associate.tcp_info import Books
from pipeline.outcome import Outcome


def test_an_answered_connection() -> None:
    """A connection that stands has a round-trip time, no repeated segment and nothing unsent."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as sock:
        books = Books.of(sock)
    assert books.rtt > 0
    assert (books.total_retrans, books.notsent_bytes) == (0, 0)


def test_a_full_peer() -> None:
    """What a peer that reads nothing has no room for stands unsent: its window is shut."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as sock:
        sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                sock.send(bytes(65536))
        assert Books.of(sock).why_nothing() is Outcome.ZERO_WINDOW


@pytest.mark.parametrize(
    ("unacked", "unsent", "outcome"),
    [(0, 0, Outcome.SILENT), (1, 0, Outcome.UNACKNOWLEDGED), (1, 1, Outcome.ZERO_WINDOW), (0, 1, Outcome.ZERO_WINDOW)],
)
def test_why_nothing_came(unacked: int, unsent: int, outcome: Outcome) -> None:
    """Bytes that could not be sent tell of a shut window, unacknowledged ones of nobody there, neither of silence."""
    assert Books(unacked=unacked, rtt=1, total_retrans=0, notsent_bytes=unsent).why_nothing() is outcome
