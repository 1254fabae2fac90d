"""The TCP of simulated hosts, segment by segment."""

from typing import NamedTuple

import numpy as np
import pytest

from pipeline.space.ranges import Ranges
from pipeline.testbed.internet.peers import NAMES, Name
from pipeline.testbed.internet.population import Block, Internet, Population
from pipeline.testbed.internet.responder import Responder, Segments
from pipeline.wire.outgoing import encode
from pipeline.wire.packet import ACK, FIN, PSH, RST, SYN, Link

REQUEST = encode(calling_ae="CENSUS", class_uid="2.25.1").request
LINK = Link(bytes(6), bytes(6), 1)
HOST, PORT, CLIENT, ISN = 12 << 24, 104, 20000, 2**32 - 3


class Heard(NamedTuple):
    """A segment of a host's, with numbers that count from the visitor's and the host's first bytes."""

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
        self.theirs = 0

    def say(
        self, flags: int, payload: bytes = b"", *, at: float = 0.0, sequence: int = 0, acked: int = 0
    ) -> list[Heard]:
        """Send a segment; what is answered at that time."""
        numbers = [np.array([n % 2**32], dtype=np.uint32) for n in (ISN + sequence, self.theirs + acked)]
        ports = np.array([PORT], dtype=np.uint16), np.array([CLIENT], dtype=np.uint16)
        segment = Segments(np.array([HOST], dtype=np.uint32), *ports, *numbers, np.array([flags], dtype=np.uint8))
        self.responder.hear(segment, np.array([self.behaviour], dtype=np.int8), [payload], at)
        return self.hear(at)

    def hear(self, at: float) -> list[Heard]:
        """What is said by then."""
        heard = []
        for kind, places in self.responder.due(at):
            if kind.flags & SYN:
                self.theirs = (int(places.sequence[0]) + 1) % 2**32
            heard.append(Heard(kind.flags, kind.payload, (int(places.acknowledgement[0]) - ISN) % 2**32))
        return heard

    def greet(self, at: float = 0.0) -> list[Heard]:
        """Connect and send the request."""
        self.say(SYN, at=at)
        return self.say(ACK | PSH, REQUEST, at=at, sequence=1)


def test_a_syn_is_answered_and_answered_again_until_it_is_acknowledged() -> None:
    """The SYN-ACK acknowledges the SYN; it comes again after 1, 3 and 7 s, and no more after an acknowledgement."""
    visitor = Visitor("silent")
    assert visitor.say(SYN) == [Heard(SYN | ACK, b"", 1)]
    seen = [at / 10 for at in range(200) if visitor.hear(at / 10)]
    assert seen == [1.0, 3.0, 7.0]
    visitor = Visitor("silent")
    visitor.say(SYN)
    visitor.say(ACK, sequence=1)
    assert not any(visitor.hear(at / 10) for at in range(200))


def test_hosts_that_do_not_persist_say_everything_once() -> None:
    """Neither the SYN-ACK nor the answer comes again."""
    visitor = Visitor("http", persistent=0.0)
    assert len(visitor.say(SYN)) == 1
    assert not any(visitor.hear(at / 10) for at in range(200))
    assert len(visitor.say(ACK | PSH, REQUEST, at=20.0, sequence=1)) == 1
    assert not any(visitor.hear(20 + at / 10) for at in range(200))


def test_answers_come_again_until_they_are_acknowledged() -> None:
    """A reply is repeated after 1 s; not after the visitor has acknowledged all of it."""
    visitor = Visitor("aborts")
    (said,) = visitor.greet()
    assert said.acked == 1 + len(REQUEST)
    assert [each.payload for each in visitor.hear(1.0)] == [said.payload]
    visitor.say(ACK, at=1.5, sequence=1 + len(REQUEST), acked=len(said.payload) + 1)
    assert not any(visitor.hear(at / 10) for at in range(20, 200))


def test_what_is_out_of_order_is_not_taken() -> None:
    """A segment that comes again, or too early, is answered by what is expected."""
    visitor = Visitor("silent")
    visitor.say(SYN)
    assert visitor.say(ACK | PSH, REQUEST, sequence=9) == [Heard(ACK, b"", 1)]
    assert visitor.say(ACK | PSH, REQUEST, sequence=1) == [Heard(ACK, b"", 1 + len(REQUEST))]
    assert visitor.say(ACK | PSH, REQUEST, sequence=1) == [Heard(ACK, b"", 1 + len(REQUEST))]


@pytest.mark.parametrize(
    ("behaviour", "flags"),
    [("silent", [ACK]), ("deaf", []), ("shut", [ACK]), ("resets", [RST | ACK]), ("closes", [ACK | FIN]), ("tls", [ACK | PSH | FIN])],
)  # fmt: skip
def test_what_each_says_to_the_request(behaviour: Name, flags: list[int]) -> None:
    """Each behaviour answers our request as its name says."""
    assert [said.flags for said in Visitor(behaviour).greet()] == flags


def test_a_shut_host_takes_nothing() -> None:
    """At window zero the acknowledgement stays where it was."""
    assert Visitor("shut").greet() == [Heard(ACK, b"", 1)]


def test_who_refuses_resets_the_syn() -> None:
    """A closed port answers as RFC 9293 says."""
    assert Visitor("refuses").say(SYN) == [Heard(RST | ACK, b"", 1)]


def test_a_visitor_who_closes_is_closed_with() -> None:
    """A FIN is acknowledged and answered by a FIN; what comes after the end is reset."""
    visitor = Visitor("silent")
    visitor.greet()
    said = visitor.say(ACK | FIN, sequence=1 + len(REQUEST))
    assert [each.flags for each in said] == [ACK | FIN]
    assert said[0].acked == 2 + len(REQUEST)
    visitor.say(RST, sequence=2 + len(REQUEST))
    assert [each.flags for each in visitor.say(ACK, sequence=2 + len(REQUEST))] == [RST]


def test_delays_are_kept() -> None:
    """A host that is 0.2 s away is heard after 0.2 s."""
    visitor = Visitor("silent", delays=(0.2,))
    assert visitor.say(SYN) == []
    assert visitor.hear(0.19) == []
    assert [said.flags for said in visitor.hear(0.2)] == [SYN | ACK]


def test_connections_are_forgotten() -> None:
    """After a minute nothing is kept, and the same visitor may come again."""
    visitor = Visitor("silent")
    visitor.greet()
    assert len(visitor.responder.connections) == 1
    visitor.hear(61.0)
    assert len(visitor.responder.connections) == 0
    assert [said.flags for said in visitor.greet(62.0)] == [ACK]
