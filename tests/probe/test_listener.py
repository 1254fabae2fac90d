"""The listener's answers, over real rings in a closed pair."""

import time
from collections import Counter

import numpy as np
import pytest

from pipeline.guard import namespaces, sockets
from pipeline.probe import clock
from pipeline.probe.extra_probes import SECOND, ExtraProbe, ExtraProbes
from pipeline.probe.greeting import Greeter
from pipeline.probe.listener import FirstAnswers, Listener
from pipeline.probe.probe_set import ProbeSet
from pipeline.probe.range_state import OpenRange
from pipeline.probe.sampling import Sample
from pipeline.probe.segments import SegmentSender
from pipeline.rings.packet_ring import segment_ring
from pipeline.rings.receive import FLAGS, ReceiveRing
from pipeline.space.permit import Permit
from pipeline.space.permutation import Permutation
from pipeline.space.ranges import Ranges, Space
from pipeline.space.shard import Range, Walk
from pipeline.testbed.closed import NamespacePair
from pipeline.testbed.internet.serve import link
from pipeline.wire.cookie import ProbeKind, Secret, bake
from pipeline.wire.packet import ACK, RST, SYN, Link
from pipeline.wire.segment import Endpoints, Kind
from tests.associate.replies import OUTGOING

ETH_P_ALL = 3
COUNT = 16
SECOND_SYN = ExtraProbe(SECOND, Secret.of(b"a secret", kind=ProbeKind.SECOND), Sample(0, 1 << 32), 1.0)
SECRET, SPACE = Secret.of(b"a secret"), Ranges.of([(11 << 24, (11 << 24) + COUNT - 1)])
WALK = Walk(Space.over(SPACE), Permutation.seeded(COUNT, 1), (104,), addresses=COUNT, shards=1, range_targets=COUNT)


def answered(
    vantage: NamespacePair, monkeypatch: pytest.MonkeyPatch, *, visited: int = 0, unread: float = 0.0
) -> tuple[Listener, OpenRange, ReceiveRing]:
    """A listener, the state of a range whose targets all answered twice, and once with a wrong cookie, and what comes to them.

    So many of them were visited before. The answers wait unread for so many seconds.
    """
    there = link()
    segments = SegmentSender(
        segment_ring(sockets.packet_socket("vantage0", 0)),
        Link(there.gateway_mac, there.source_mac, there.source),
        OUTGOING,
    )
    listener = Listener(
        ProbeSet(WALK, SECRET, ExtraProbes((SECOND_SYN,), SECRET)),
        ReceiveRing(sockets.packet_socket("vantage0", ETH_P_ALL)),
        segments,
        Greeter(segments, OUTGOING, None),  # type: ignore[arg-type]
        FirstAnswers(log=lambda *_: None),
    )
    opened = listener.open[1] = OpenRange.begin(Range(0, 0, 0, COUNT - 1), 0.0)
    addresses, ports = WALK.targets(0, 0, COUNT)
    opened.mark_visited(WALK, (addresses[:visited], ports[:visited]))
    opened.mark_sent(COUNT, clock.now())
    cookie = bake(SECRET, addresses, ports)
    right = Endpoints(addresses, ports, cookie.source_port, np.zeros(COUNT, np.uint32), cookie.sequence + np.uint32(1))
    wrong = Endpoints(addresses, ports, cookie.source_port, right.sequence, cookie.sequence - np.uint32(1))
    answer = Kind.of(there, SYN | ACK, played=True)
    monkeypatch.delenv(sockets.VANTAGE)
    world = namespaces.inside(vantage.world, lambda: segment_ring(sockets.packet_socket("world0", 0)))
    wire = namespaces.inside(vantage.world, lambda: ReceiveRing(sockets.packet_socket("world0", ETH_P_ALL)))
    world.send([(answer, right), (answer, wrong), (answer, right)])
    time.sleep(unread)
    until = time.monotonic() + 5
    while opened.counts.duplicates < COUNT and time.monotonic() < until:
        assert list(listener.read(Permit("", Ranges.of(())))) == []
        list(listener.tick(clock.now()))
    assert opened.answered.all()
    return listener, opened, wire


def resets(wire: ReceiveRing) -> Counter[int]:
    """How many RSTs each target got from us; those of our kernel, which a sweep filters out, acknowledge nothing."""
    packets = wire.read().packets
    return Counter(int.from_bytes(packet[16:20].tobytes()) for packet in packets if packet[FLAGS] == RST | ACK)


def test_each_target_is_greeted_once(vantage: NamespacePair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an answer that arrives twice, one copy is greeted and one counted as a duplicate; a wrong cookie is not greeted."""
    _, opened, _ = answered(vantage, monkeypatch)
    counts = opened.counts
    assert (counts.greetings, counts.duplicates, counts.ring_invalid) == (COUNT, COUNT, COUNT)
    assert opened.conversations == COUNT


def test_a_host_that_was_visited_before_still_answers(vantage: NamespacePair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Targets that an earlier attempt visited count among those that answer. They get no second greeting, and no half-open connection
    is left at them: each SYN-ACK is reset.
    """
    _, opened, wire = answered(vantage, monkeypatch, visited=10)
    counts = opened.counts
    assert (counts.greetings, counts.answers - counts.duplicates) == (COUNT - 10, COUNT)
    addresses, _ = WALK.targets(0, 0, COUNT)
    assert resets(wire) == Counter({int(address): 2 for address in addresses[:10]})


@pytest.mark.parametrize(("gap", "late"), [(0.0, 0), (2.0, COUNT)])
def test_who_was_not_served_in_time_is_counted(
    vantage: NamespacePair, monkeypatch: pytest.MonkeyPatch, gap: float, late: int
) -> None:
    """Hosts that our deadline ended count as late if we did not look for two seconds meanwhile, and else do not."""
    listener, opened, _ = answered(vantage, monkeypatch)
    at = time.monotonic()
    listener.lag.turn(at)
    listener.lag.turn(at + gap)
    given_up = list(listener.tick(clock.Clock(at + 60.0, clock.now().epoch_us)))
    assert sum(each.result.hosts for each in given_up) == COUNT
    assert opened.final_counts().late_deadlines == late


def test_a_round_trip_ends_when_the_kernel_takes_the_answer(
    vantage: NamespacePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long an answer waits until we read it is no part of the round trip that is recorded."""
    listener, _, _ = answered(vantage, monkeypatch, unread=0.8)
    given_up = list(listener.tick(clock.Clock(time.monotonic() + 60.0, clock.now().epoch_us)))
    assert max(int(each.result.rows["rtt_us"].max()) for each in given_up) < 400_000
