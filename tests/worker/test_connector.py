"""The unprivileged engine, with servers and full queues on loopback."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from typing import Any

import numpy as np
import pytest

from pipeline.guard import sockets
from pipeline.outcome import CloseKind, CloseStage, Outcome
from pipeline.probe.engine_events import Finished, Greeted
from pipeline.probe.pacer import Pacer
from pipeline.probe.range_state import OpenRange
from pipeline.probe.result import Result
from pipeline.record.visit import Visit
from pipeline.space.permit import Permit
from pipeline.space.permutation import Permutation
from pipeline.space.ranges import Ranges, Space
from pipeline.space.shard import Range, Walk
from pipeline.wire.outgoing import class_uid, encode
from pipeline.worker.connector import Connector, Visitor, _Attempt, _count

FIRST = int(IPv4Address("127.0.8.0"))
ADDRESSES = 32
WHOLE = Range(0, 0, 0, ADDRESSES - 1)
OUTGOING = encode(calling_ae="CENSUS", class_uid=class_uid("https://example.org"))
FREE = Permit("", Ranges.of(()))
PAUSED = Permit("a call", Ranges.of(()))


@contextmanager
def connector(
    port: int, permit: Callable[[], Permit] = lambda: FREE, *, rate: float = 100_000, tls_ports: tuple[int, ...] = ()
) -> Iterator[Connector]:
    """An engine for one port of 32 addresses."""
    space = Space.over(Ranges.of([(FIRST, FIRST + ADDRESSES - 1)]))
    walk = Walk(space, Permutation.seeded(ADDRESSES, 5), (port,), ADDRESSES, 1, ADDRESSES)
    visitor = Visitor(sockets.tcp_socket, OUTGOING, echo=False, tls_ports=frozenset(tls_ports))
    made = Connector(walk, visitor, permit=permit, pacer=Pacer(rate, time.monotonic()))
    try:
        yield made
    finally:
        made.close()


def run(engine: Connector, step: Callable[[], Any] = lambda: None) -> tuple[list[Visit], Finished]:
    """All visits that an engine reports of its range, and the end of the range; a step is taken after each tick."""
    visits: list[Visit] = []
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for event in engine.tick():
            match event:
                case Greeted(result=Result(visit=Visit() as visit)):
                    visits.append(visit)
                case Finished():
                    return visits, event
        step()
    raise AssertionError("the range has no end")


@contextmanager
def listening(*, answers: bool) -> Iterator[tuple[int, list[bytes]]]:
    """A port on all addresses: its server keeps each peer's first bytes and closes, or its queue is full and drops SYNs."""
    first: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer:
                peer.settimeout(5)
                first.append(peer.recv(4096))

    with socket.create_server(("0.0.0.0", 0), backlog=100 if answers else 0) as server:
        port = server.getsockname()[1]
        waiting = [socket.socket() for _ in range(0 if answers else 3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        thread = threading.Thread(target=serve, daemon=True)
        if answers:
            thread.start()
        yield port, first
        server.shutdown(socket.SHUT_RDWR)
        for each in waiting:
            each.close()


def test_a_host_that_answers_gets_the_request_at_once() -> None:
    """Each address gets one connection whose first bytes are the request, and the counts add up."""
    with listening(answers=True) as (port, first), connector(port) as engine:
        engine.begin(WHOLE)
        visits, end = run(engine)
    assert first == [OUTGOING.request] * ADDRESSES
    assert {visit.ip for visit in visits} == set(range(FIRST, FIRST + ADDRESSES))
    assert {visit.outcome for visit in visits} == {Outcome.CLOSED}
    assert end.complete
    assert (end.counts.probes_sent, end.counts.answers, end.counts.greetings) == (ADDRESSES,) * 3
    assert (end.counts.resets, end.counts.syn_retransmits) == (0, 0)


def test_a_tls_port_gets_a_hello() -> None:
    """On a TLS port the only connection begins with the first byte of a handshake record."""
    with listening(answers=True) as (port, first), connector(port, tls_ports=(port,)) as engine:
        engine.begin(WHOLE)
        visits, _ = run(engine)
    assert {each[0] for each in first} == {22}
    assert len(first) == len(visits) == ADDRESSES
    assert all(visit.tls for visit in visits)


def test_refusals_are_counted() -> None:
    """An RST gives a count and no row."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]  # nothing listens at the other addresses
        with connector(port) as engine:
            engine.begin(WHOLE)
            visits, end = run(engine)
    assert visits == []
    assert (end.counts.resets, end.counts.answers, end.complete) == (ADDRESSES, 0, True)


def test_the_kernels_retransmissions_are_counted_and_paid_for() -> None:
    """A silent host gets two SYNs by the kernel's count, and each target takes two SYNs of the budget."""
    with listening(answers=False) as (port, _), connector(port, rate=100) as engine:
        engine.begin(WHOLE)
        visits, end = run(engine)
    assert visits == []
    assert end.counts.syn_retransmits == end.counts.probes_sent == ADDRESSES
    assert end.counts.send_seconds > 0.95 * (2 * ADDRESSES - 2) / 100
    assert end.complete


def test_a_stop_takes_back_connections_without_an_answer() -> None:
    """When the register stops sending, connections without a SYN-ACK are dropped within a tick, and the range is not complete."""
    permits = [FREE]
    with listening(answers=False) as (port, _), connector(port, lambda: permits[0]) as engine:
        engine.begin(WHOLE)
        began = time.monotonic()
        _, end = run(engine, lambda: permits.__setitem__(0, PAUSED if engine.idle else FREE))
    assert time.monotonic() - began < 1.5
    assert not end.complete
    assert end.counts.syn_retransmits == 0


def test_an_outage_of_our_own_makes_a_range_void() -> None:
    """While our link is down nothing is begun; what was open before is dropped without a row, and its range runs again."""
    down = Permit("interface eth0 is down: waiting", Ranges.of(()), outage_seconds=2.0)
    permits = [FREE]
    with listening(answers=False) as (port, _), connector(port, lambda: permits[0]) as engine:
        engine.begin(WHOLE)
        visits, end = run(engine, lambda: permits.__setitem__(0, down if engine.idle else FREE))
    assert (visits, end.complete) == ([], False)
    with listening(answers=True) as (port, first), connector(port, lambda: permits[0]) as engine:
        engine.begin(WHOLE)
        until = time.monotonic() + 0.5
        _, end = run(engine, lambda: permits.__setitem__(0, FREE if time.monotonic() > until else down))
    assert len(first) == ADDRESSES
    assert end.counts.paused_seconds > 0.4
    assert end.complete


def test_a_host_that_opts_out_is_left_at_once() -> None:
    """A target that opts out before its turn gets no SYN; a target that opts out before it answers gets no second SYN."""
    first, rest = Ranges.of([(FIRST, FIRST + 7)]), Ranges.of([(FIRST, FIRST + ADDRESSES - 2)])
    permits = [Permit("", first)]
    with listening(answers=False) as (port, _), connector(port, lambda: permits[0]) as engine:
        engine.begin(WHOLE)
        _, end = run(engine, lambda: permits.__setitem__(0, Permit("", rest)) if engine.idle else None)
    assert end.complete
    assert (end.counts.suppressed, end.counts.probes_sent) == (8, ADDRESSES - 8)
    assert end.counts.syn_retransmits == 1


def test_a_visit_that_has_just_ended_is_not_taken_back() -> None:
    """A visit that has closed its socket, and whose end the engine has yet to handle, no longer waits for an answer."""
    with connector(104) as engine, socket.socket() as sock:
        engine.begin(WHOLE)
        attempt = _Attempt(engine._open[0], FIRST, time.monotonic(), sock)
        sock.setblocking(False)
        sock.connect_ex(("127.0.8.1", 104))
        sock.close()
        assert not attempt.waits


def test_visited_targets_are_spared() -> None:
    """Targets that an earlier attempt finished get no SYN, and are counted separately."""
    addresses = np.arange(FIRST, FIRST + 10, dtype=np.uint32)
    with listening(answers=True) as (port, first), connector(port) as engine:
        engine.begin(WHOLE, (addresses, np.full(10, port, dtype=np.uint16)))
        _, end = run(engine)
    assert len(first) == end.counts.probes_sent == ADDRESSES - 10
    assert (end.counts.spared, end.counts.suppressed, end.complete) == (10, 0, True)


@pytest.mark.parametrize(
    ("connect_us", "error", "counted"),
    [
        (5, None, (1, 0, 0)),
        (None, "ECONNRESET", (1, 0, 0)),
        (None, "EPIPE", (1, 0, 0)),
        (None, "ECONNREFUSED", (0, 1, 0)),
        (None, "EHOSTUNREACH", (0, 0, 1)),
        (None, "ENETUNREACH", (0, 0, 1)),
        (None, None, (0, 0, 0)),
    ],
)
def test_what_each_end_of_connecting_counts_as(
    connect_us: int | None, error: str | None, counted: tuple[int, int, int]
) -> None:
    """An opened connection counts as an answer, even if it was reset at once; a refusal, an ICMP error and silence do not."""
    visit = Visit(
        ip=1, port=104, started_at=0, outcome=Outcome.RESET, close_kind=CloseKind.PEER_RST,
        close_stage=CloseStage.CONNECT, like_dicom=False, connect_us=connect_us, error=error,
    )  # fmt: skip
    opened = OpenRange.begin(WHOLE, 0.0)
    assert _count(opened, visit) == bool(counted[0])
    assert (opened.counts.answers, opened.counts.resets, opened.counts.unreachable) == counted


def test_who_was_not_served_in_time_is_counted() -> None:
    """Connected hosts that say nothing count as late if this process stood still for more than a second meanwhile."""
    stood: list[float] = []

    def stand_still() -> None:
        if not stood and engine.probes == ADDRESSES:
            stood.append(time.monotonic())
            time.sleep(1.3)

    with socket.create_server(("0.0.0.0", 0), backlog=100) as mute, connector(mute.getsockname()[1]) as engine:
        engine.begin(WHOLE)
        visits, end = run(engine, stand_still)
    assert {visit.outcome for visit in visits} == {Outcome.SILENT}
    assert end.counts.late_deadlines == len(visits) == ADDRESSES
