"""The asyncio client against real servers on loopback."""

import asyncio
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, evt

from pipeline.associate import client
from pipeline.associate.conversation import Conversation
from pipeline.errors import CensusError, GuardError
from pipeline.outcome import CloseKind, CloseStage, Outcome
from pipeline.record.visit import Visit
from pipeline.testbed import spec
from pipeline.testbed.hostile import HOSTILE
from pipeline.wire.outgoing import VERIFICATION, encode
from tests.associate.serving import LOOPBACK, free_port, open_loopback, running

OUTGOING = encode(calling_ae="CENSUS", class_uid="2.25.1")
HOSTILE_SPEC = Path(__file__).parents[1] / "data" / "hostile.toml"
Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def visit(port: int, *, echo: bool = True) -> Visit:
    """Visit a server on loopback."""
    return asyncio.run(client.visit(open_loopback, OUTGOING, echo=echo, ip=LOOPBACK, port=port))


def visit_peer(peer: Peer) -> Visit:
    """Serve one peer and visit it."""

    async def both() -> Visit:
        server = await asyncio.start_server(peer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            return await client.visit(open_loopback, OUTGOING, echo=True, ip=LOOPBACK, port=port)
        finally:
            server.close()

    return asyncio.run(both())


@contextmanager
def pynetdicom_server(
    *, sop_class: str = VERIFICATION, called: bool = False, titles: tuple[str, str] | None = None
) -> Iterator[int]:
    """A real DICOM server, which may return other AE titles than it was sent; yields its port."""

    def retitle(event: evt.Event) -> None:
        if titles:
            request = event.assoc.requestor.primitive
            request.called_ae_title, request.calling_ae_title = titles

    entity = AE(ae_title="OURS")
    entity.require_called_aet = called
    entity.add_supported_context(sop_class, ALL_TRANSFER_SYNTAXES)
    handlers = [(evt.EVT_REQUESTED, retitle)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)  # type: ignore[arg-type]
    assert server is not None
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


def test_echo() -> None:
    """A real server that accepts gets a C-ECHO and a release, and its implementation names are recorded."""
    with pynetdicom_server() as port:
        record = visit(port)
    assert (record.outcome, record.echo_status, record.released) == (Outcome.ECHOED, 0, True)
    assert (record.close_kind, record.close_stage, record.syn_retransmits) == (CloseKind.WE_CLOSED, CloseStage.DONE, 0)
    assert record.implementation_version_name is not None
    assert record.implementation_version_name.startswith("PYNETDICOM")
    times = (
        record.connect_us,
        record.first_byte_us,
        record.answer_us,
        record.echo_us,
        record.release_us,
        record.closed_us,
    )
    assert [time for time in times if time is not None] == sorted(time or -1 for time in times)


def test_associate_only() -> None:
    """Without C-ECHO a real server's association is released at once."""
    with pynetdicom_server() as port:
        record = visit(port, echo=False)
    assert (record.outcome, record.echo_status, record.released) == (Outcome.ACCEPTED, None, True)


def test_rejection() -> None:
    """A real server that requires its own AE title gives the three bytes of its A-ASSOCIATE-RJ."""
    with pynetdicom_server(called=True) as port:
        record = visit(port)
    assert (record.outcome, record.rj_result, record.rj_source, record.rj_reason) == (Outcome.REJECTED, 1, 1, 7)


@pytest.mark.parametrize("titles", [("CENSUS", "ANY-SCP"), ("OURS", "SOMEBODY"), ("any-scp", "census")])
def test_a_server_that_returns_other_titles(titles: tuple[str, str]) -> None:
    """A real server that returns other AE titles is echoed and released like any other."""
    with pynetdicom_server(titles=titles) as port:
        record = visit(port)
    assert (record.outcome, record.echo_status, record.released) == (Outcome.ECHOED, 0, True)
    assert (record.called_ae_raw, record.calling_ae_raw) == tuple(title.encode().ljust(16) for title in titles)


def test_no_verification() -> None:
    """A real server without Verification is released without a C-ECHO."""
    with pynetdicom_server(sop_class="1.2.840.10008.5.1.4.1.1.2") as port:
        record = visit(port)
    assert (record.outcome, record.released) == (Outcome.ACCEPTED_NO_VERIFICATION, True)


def test_many_at_once() -> None:
    """Conversations run side by side in one event loop."""

    async def all_of_them(port: int) -> list[Visit]:
        visits = (client.visit(open_loopback, OUTGOING, echo=True, ip=LOOPBACK, port=port) for _ in range(5))
        return await asyncio.gather(*visits)

    with pynetdicom_server() as port:
        assert {record.outcome for record in asyncio.run(all_of_them(port))} == {Outcome.ECHOED}


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read everything, answer nothing."""
    await reader.read()
    writer.close()


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the request, then reset."""
    await reader.readexactly(len(OUTGOING.request))
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()


async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the request, then close."""
    await reader.readexactly(len(OUTGOING.request))
    writer.close()


async def echoing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send everything back."""
    writer.write(await reader.readexactly(len(OUTGOING.request)))
    writer.close()


async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer like a web server."""
    await reader.readexactly(len(OUTGOING.request))
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    writer.close()


async def rejecting_then_resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reject, and reset right after it."""
    await reader.readexactly(len(OUTGOING.request))
    writer.write(bytes.fromhex("03000000000400010101"))
    await asyncio.sleep(0.05)
    writer.transport.abort()


@pytest.mark.parametrize(
    ("peer", "outcome", "kind"),
    [
        (resetting, Outcome.RESET, CloseKind.PEER_RST),
        (closing, Outcome.CLOSED, CloseKind.PEER_FIN),
        (echoing, Outcome.REFLECTED, CloseKind.WE_CLOSED),
        (http, Outcome.NOT_DICOM, CloseKind.WE_CLOSED),
        (rejecting_then_resetting, Outcome.REJECTED, CloseKind.WE_CLOSED),
        (silent, Outcome.SILENT, CloseKind.DEADLINE),
    ],
)
def test_peers(peer: Peer, outcome: Outcome, kind: CloseKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way in which a peer ends the connection becomes its own outcome."""
    monkeypatch.setattr("pipeline.associate.conversation.ANSWER_US", 300_000)
    record = visit_peer(peer)
    assert (record.outcome, record.close_kind) == (outcome, kind)


async def visit_at_once(ports: list[int]) -> list[Visit]:
    """Visit servers on loopback, all at the same time."""
    return await asyncio.gather(
        *(client.visit(open_loopback, OUTGOING, echo=True, ip=LOOPBACK, port=port) for port in ports)
    )


def test_hostile_peers_do_not_delay_others(tmp_path: Path) -> None:
    """Over kernel TCP, hostile peers get the same outcomes as over the sweep's own TCP, and do not delay an honest server."""
    expected = {
        placement.server: {placement.outcome}
        for placement in spec.load(HOSTILE_SPEC).placements
        if placement.server in HOSTILE
    }
    ports = {name: free_port() for name in expected}
    decoys = [sys.executable, "-m", "pipeline.testbed.decoys", *(f"{name}={port}" for name, port in ports.items())]
    with running(decoys, list(ports.values())[-1], tmp_path), pynetdicom_server() as neighbour:
        record = asyncio.run(visit_at_once([*ports.values()] * 20 + [neighbour] * 5))
    hostile, served = record[:-5], record[-5:]
    assert {name: {record.outcome for record in hostile[at :: len(ports)]} for at, name in enumerate(ports)} == expected
    assert {record.outcome for record in served} == {Outcome.ECHOED}
    assert max(record.closed_us for record in served) < 2_500_000


def test_a_silent_peer_gets_our_abort(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the deadline a peer gets an A-ABORT and our close, and nothing else."""
    monkeypatch.setattr("pipeline.associate.conversation.ANSWER_US", 200_000)
    received: list[bytes] = []

    async def listening(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read(-1))
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_server(listening, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        await client.visit(open_loopback, OUTGOING, echo=True, ip=LOOPBACK, port=port)
        await asyncio.sleep(0.1)
        server.close()

    asyncio.run(scenario())
    assert received == [OUTGOING.request + OUTGOING.abort]


def test_refused() -> None:
    """A port without a listener is a reset in the stage `connect`."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    record = visit(port)
    assert (record.outcome, record.close_kind, record.close_stage) == (
        Outcome.RESET,
        CloseKind.PEER_RST,
        CloseStage.CONNECT,
    )


def test_unanswered() -> None:
    """A listener with a full queue leaves our SYN unanswered; it is retransmitted once."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        record = visit(server.getsockname()[1])
        for filler in fillers:
            filler.close()
    assert (record.outcome, record.close_kind, record.close_stage, record.syn_retransmits) == (
        Outcome.UNACKNOWLEDGED,
        CloseKind.DEADLINE,
        CloseStage.CONNECT,
        1,
    )


def test_other_bytes_cannot_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are not a template stop the program before sending."""
    monkeypatch.setattr(Conversation, "connected", lambda _self, _now: OUTGOING.request + b"\0")
    received: list[bytes] = []

    async def listening(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read())
        writer.close()

    with pytest.raises(GuardError):
        visit_peer(listening)
    assert b"".join(received) == b""


def test_the_guard_stops_a_visit() -> None:
    """If the guard opens no socket, there is no visit."""

    def refuse(_destination: str) -> socket.socket:
        raise GuardError("outside")

    with pytest.raises(GuardError):
        asyncio.run(client.visit(refuse, OUTGOING, echo=True, ip=LOOPBACK, port=104))


def test_a_local_fault_is_not_an_outcome() -> None:
    """An error that the peer did not cause stops the program."""

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def already_connected(_destination: str) -> socket.socket:
            return socket.create_connection(("127.0.0.1", port))

        with pytest.raises(CensusError, match="cannot open connections"):
            asyncio.run(client.visit(already_connected, OUTGOING, echo=True, ip=LOOPBACK, port=port))
