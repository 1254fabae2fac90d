"""The TCP of simulated hosts, segment by segment."""

from typing import NamedTuple

import numpy as np
import pytest

from pipeline.space.ranges import Ranges
from pipeline.testbed.internet.peers import NAMES, Name
from pipeline.testbed.internet.population import Block, Internet, Population
from pipeline.testbed.internet.responder import IncomingSegments, Responder
from pipeline.wire.outgoing import encode
from pipeline.wire.packet import ACK, FIN, PSH, RST, SYN, Link

REQUEST = encode(calling_ae="CENSUS", class_uid="2.25.1").request
LINK = Link(bytes(6), bytes(6), 1)
HOST, PORT, CLIENT, ISN = 12 << 24, 104, 20000, 2**32 - 3


class SentSegment(NamedTuple):
    """A segment from a host; `acked` counts from the visitor's first sequence number."""

    flags: int
    payload: bytes
    acked: int


class Visitor:
    """One visitor of one host."""

    def __init__(self, behaviour: Name, *, persistent: float = 1.0, delays: tuple[float, ...] = (0.0,)) -> None:
        block = Block(addresses=("12.0.0.0/24",), density=1.0, mix={behaviour: 1})
        internet = Internet(seed=1, block=(block,), persistent=persistent, delays=delays)
        self.behaviour = NAMES.index(behaviour)
        self.responder = Responder(internet, Population(internet, Ranges.of(())), LINK)
        self.host_sequence = 0

    def send(
        self, flags: int, payload: bytes = b"", *, at: float = 0.0, sequence: int = 0, acked: int = 0
    ) -> list[SentSegment]:
        """Send a segment; return the host's answers at that time."""
        numbers = [np.array([n % 2**32], dtype=np.uint32) for n in (ISN + sequence, self.host_sequence + acked)]
        ports = np.array([PORT], dtype=np.uint16), np.array([CLIENT], dtype=np.uint16)
        segment = IncomingSegments(
            np.array([HOST], dtype=np.uint32), *ports, *numbers, np.array([flags], dtype=np.uint8)
        )
        self.responder.receive(segment, np.array([self.behaviour], dtype=np.int8), [payload], at)
        return self.due(at)

    def due(self, at: float) -> list[SentSegment]:
        """The host's segments up to a time."""
        sent = []
        for kind, places in self.responder.due(at):
            if kind.flags & SYN:
                self.host_sequence = (int(places.sequence[0]) + 1) % 2**32
            sent.append(SentSegment(kind.flags, kind.payload, (int(places.acknowledgement[0]) - ISN) % 2**32))
        return sent

    def greet(self, at: float = 0.0) -> list[SentSegment]:
        """Connect and send the request."""
        self.send(SYN, at=at)
        return self.send(ACK | PSH, REQUEST, at=at, sequence=1)


def test_a_syn_ack_is_retransmitted_until_acknowledged() -> None:
    """The SYN-ACK acknowledges the SYN and is sent again after 1, 3 and 7 s until it is acknowledged."""
    visitor = Visitor("silent")
    assert visitor.send(SYN) == [SentSegment(SYN | ACK, b"", 1)]
    times = [at / 10 for at in range(200) if visitor.due(at / 10)]
    assert times == [1.0, 3.0, 7.0]
    visitor = Visitor("silent")
    visitor.send(SYN)
    visitor.send(ACK, sequence=1)
    assert not any(visitor.due(at / 10) for at in range(200))


def test_hosts_that_do_not_persist() -> None:
    """A host that is not persistent retransmits neither its SYN-ACK nor its answer."""
    visitor = Visitor("http", persistent=0.0)
    assert len(visitor.send(SYN)) == 1
    assert not any(visitor.due(at / 10) for at in range(200))
    assert len(visitor.send(ACK | PSH, REQUEST, at=20.0, sequence=1)) == 1
    assert not any(visitor.due(20 + at / 10) for at in range(200))


def test_answers_are_retransmitted_until_acknowledged() -> None:
    """An answer is sent again after 1 s unless all of it is acknowledged."""
    visitor = Visitor("aborts")
    (reply,) = visitor.greet()
    assert reply.acked == 1 + len(REQUEST)
    assert [segment.payload for segment in visitor.due(1.0)] == [reply.payload]
    visitor.send(ACK, at=1.5, sequence=1 + len(REQUEST), acked=len(reply.payload) + 1)
    assert not any(visitor.due(at / 10) for at in range(20, 200))


def test_segments_out_of_order() -> None:
    """A repeated or early segment is answered with the expected sequence number."""
    visitor = Visitor("silent")
    visitor.send(SYN)
    assert visitor.send(ACK | PSH, REQUEST, sequence=9) == [SentSegment(ACK, b"", 1)]
    assert visitor.send(ACK | PSH, REQUEST, sequence=1) == [SentSegment(ACK, b"", 1 + len(REQUEST))]
    assert visitor.send(ACK | PSH, REQUEST, sequence=1) == [SentSegment(ACK, b"", 1 + len(REQUEST))]


@pytest.mark.parametrize(
    ("behaviour", "flags"),
    [("silent", [ACK]), ("deaf", []), ("shut", [ACK]), ("resets", [RST | ACK]), ("closes", [ACK | FIN]), ("tls", [ACK | PSH | FIN])],
)  # fmt: skip
def test_answers_to_the_request(behaviour: Name, flags: list[int]) -> None:
    """Each behaviour answers our request with these segments."""
    assert [reply.flags for reply in Visitor(behaviour).greet()] == flags


def test_a_closed_window() -> None:
    """With a closed window no data is acknowledged."""
    assert Visitor("shut").greet() == [SentSegment(ACK, b"", 1)]


def test_a_closed_port() -> None:
    """A closed port resets the SYN (RFC 9293)."""
    assert Visitor("refuses").send(SYN) == [SentSegment(RST | ACK, b"", 1)]


def test_the_visitor_closes() -> None:
    """A FIN is acknowledged and answered by a FIN; later segments are reset."""
    visitor = Visitor("silent")
    visitor.greet()
    reply = visitor.send(ACK | FIN, sequence=1 + len(REQUEST))
    assert [segment.flags for segment in reply] == [ACK | FIN]
    assert reply[0].acked == 2 + len(REQUEST)
    visitor.send(RST, sequence=2 + len(REQUEST))
    assert [segment.flags for segment in visitor.send(ACK, sequence=2 + len(REQUEST))] == [RST]


def test_delays_are_kept() -> None:
    """A host with a delay of 0.2 s answers after 0.2 s."""
    visitor = Visitor("silent", delays=(0.2,))
    assert visitor.send(SYN) == []
    assert visitor.due(0.19) == []
    assert [reply.flags for reply in visitor.due(0.2)] == [SYN | ACK]


def test_connections_are_forgotten() -> None:
    """After a minute connections are forgotten, and the same visitor can connect again."""
    visitor = Visitor("silent")
    visitor.greet()
    assert len(visitor.responder.connections) == 1
    visitor.due(61.0)
    assert len(visitor.responder.connections) == 0
    assert [reply.flags for reply in visitor.greet(62.0)] == [ACK]
