"""Targets that answer their second SYN alone, over real rings in a closed pair."""

import time

import numpy as np
import pytest

from pipeline.guard import namespaces, sockets
from pipeline.probe import clock
from pipeline.probe.engine_events import Responses
from pipeline.probe.extra_probes import SECOND
from pipeline.probe.fin_wait import SETTLED, UNSEEN
from pipeline.rings.packet_ring import segment_ring
from pipeline.space.permit import Permit
from pipeline.space.ranges import Ranges
from pipeline.testbed.closed import NamespacePair
from pipeline.testbed.internet.serve import link
from pipeline.wire.cookie import bake
from pipeline.wire.packet import ACK, SYN
from pipeline.wire.segment import Endpoints, Kind
from tests.probe.test_listener import COUNT, SECOND_SYN, WALK, answered, resets


def test_who_answers_only_the_second_syn_is_handed_on(vantage: NamespacePair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who answers a second SYN and answered no first one is handed on, once, unless the register withholds it."""
    listener, opened, wire = answered(vantage, monkeypatch)
    addresses, ports = WALK.targets(0, 0, COUNT)
    opened.state[:3], opened.answered[:3] = UNSEEN, False
    opened.extra_sent[SECOND].append(np.arange(COUNT))
    cookie = bake(SECOND_SYN.secret, addresses, ports)
    right = Endpoints(addresses, ports, cookie.source_port, np.zeros(COUNT, np.uint32), cookie.sequence + np.uint32(1))
    world = namespaces.inside(vantage.world, lambda: segment_ring(sockets.packet_socket("world0", 0)))
    resets(wire)
    world.send([(Kind.of(link(), SYN | ACK, played=True), right)] * 2)
    withheld, events = Ranges.of([(int(addresses[2]), int(addresses[2]))]), []
    until = time.monotonic() + 5
    while sum(map(len, opened.extra_answered[SECOND])) < 2 * COUNT and time.monotonic() < until:
        events += listener.read(Permit("", withheld))
        list(listener.tick(clock.now()))
    visited = [event for event in events if isinstance(event, Responses)]
    assert sorted(address for event in visited for address in event.answers.address.tolist()) == sorted(
        addresses[:2].tolist()
    )
    counts = opened.final_counts()
    assert (counts.second_visits, counts.second_only, counts.suppressed_visits) == (3, 3, 1)
    assert (opened.state[:3] == SETTLED).all()
    assert set(resets(wire)) >= set(addresses[:3].tolist())
