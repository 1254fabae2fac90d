"""Conversations through TLS with real servers on loopback, and with peers that are not TLS servers."""

import asyncio
import json
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from pynetdicom import AE

from pipeline.associate import client
from pipeline.associate.tls import LISTEN_US
from pipeline.errors import GuardError
from pipeline.outcome import ClientCertificate, CloseKind, Handshake, Outcome
from pipeline.record.visit import TlsFacts, Visit
from pipeline.testbed import server_kinds
from pipeline.testbed.hostile import TLS_SERVER_HELLO
from pipeline.wire.outgoing import VERIFICATION, encode
from tests.associate.authority import Issued, issue
from tests.associate.serving import LOOPBACK, START_SECONDS, free_port, open_loopback, running
from tests.associate.tlspeer import server_context

OUTGOING = encode(calling_ae="CENSUS", class_uid="2.25.1")
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

SELF_SIGNED = (issue("pacs.example.test"),)
EXPIRED = (issue("pacs.example.test", days=(-20, -10)),)
ROOT = issue("root", ca=True)
MIDDLE = issue("middle", ROOT, ca=True)
CHAIN = (issue("pacs.example.test", MIDDLE), MIDDLE, ROOT)


def visit(port: int, *, echo: bool = True) -> Visit:
    """Visit a server on loopback through TLS."""
    return asyncio.run(client.visit(open_loopback, OUTGOING, echo=echo, ip=LOOPBACK, port=port, over_tls=True))


def facts(record: Visit) -> TlsFacts:
    """The recorded handshake of a visit."""
    assert record.tls is not None
    return record.tls


@pytest.mark.parametrize("program", ["storescp", "dcmrecv"])
@pytest.mark.parametrize(("option", "policy"), [("-ic", "not_requested"), ("-vc", "requested"), ("-rc", "required")])
def test_dcmtk(program: str, option: str, policy: str, tmp_path: Path) -> None:
    """DCMTK's servers with a client certificate ignored, requested or required; a server that requires one sends an alert."""
    certificates, key = SELF_SIGNED[0].write(tmp_path)
    port = free_port()
    command = [server_kinds.program(program), "+tls", key, certificates, option, "+cf", certificates, port]
    with running(command, port, tmp_path):
        record = visit(port)
    handshake_facts = facts(record)
    assert (handshake_facts.client_certificate, handshake_facts.version) == (policy, "TLSv1.3")
    assert handshake_facts.chain[0].subject_organization == "Example Hospital"
    if policy == "required":
        assert (handshake_facts.handshake, handshake_facts.alert_name) == (
            Handshake.NEEDS_CLIENT_CERTIFICATE,
            "certificate_required",
        )
        assert (record.outcome, handshake_facts.alert_after_handshake) == (Outcome.TLS, True)
    else:
        assert (handshake_facts.handshake, record.outcome, record.released) == (
            Handshake.COMPLETED,
            Outcome.ECHOED,
            True,
        )
        assert record.implementation_version_name == "OFFIS_DCMTK_367"


@pytest.mark.parametrize(("issued", "valid", "count"), [(SELF_SIGNED, True, 1), (EXPIRED, False, 1), (CHAIN, True, 3)])
def test_certificates(issued: tuple[Issued, ...], valid: bool, count: int, tmp_path: Path) -> None:
    """Self-signed, expired and chained certificates are recorded and do not end the conversation."""
    with pynetdicom_server(tmp_path, issued, V13, ssl.CERT_NONE) as port:
        record = visit(port)
    handshake_facts = facts(record)
    assert (record.outcome, handshake_facts.valid_at_visit, handshake_facts.certificate_count) == (
        Outcome.ECHOED,
        valid,
        count,
    )
    assert [certificate.self_signed for certificate in handshake_facts.chain] == [
        certificate.certificate.issuer == certificate.certificate.subject for certificate in issued
    ]
    assert [certificate.signed_by_next for certificate in handshake_facts.chain] == [True] * (count - 1) + [None]


@contextmanager
def pynetdicom_server(
    folder: Path, issued: Sequence[Issued], version: ssl.TLSVersion, demand: ssl.VerifyMode, *, called: bool = False
) -> Iterator[int]:
    """A pynetdicom server with TLS of one version."""
    context = server_context(*issued[0].write(folder, *issued[1:]), version=version, demand=demand)
    entity = AE(ae_title="OURS")
    entity.require_called_aet = called
    entity.add_supported_context(VERIFICATION)
    server = entity.start_server(("127.0.0.1", 0), block=False, ssl_context=context)
    assert server is not None
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


@pytest.mark.parametrize("demand", [ssl.CERT_NONE, ssl.CERT_OPTIONAL, ssl.CERT_REQUIRED])
@pytest.mark.parametrize("version", [V12, V13])
def test_pynetdicom(version: ssl.TLSVersion, demand: ssl.VerifyMode, tmp_path: Path) -> None:
    """pynetdicom servers of both versions with a client certificate ignored, requested or required."""
    with pynetdicom_server(tmp_path, SELF_SIGNED, version, demand) as port:
        record = visit(port)
    handshake_facts = facts(record)
    if demand is ssl.CERT_REQUIRED:
        assert (handshake_facts.handshake, record.outcome) == (Handshake.NEEDS_CLIENT_CERTIFICATE, Outcome.TLS)
        assert handshake_facts.client_certificate in (ClientCertificate.REQUIRED, ClientCertificate.SUSPECTED)
    else:
        assert (handshake_facts.handshake, record.outcome, record.released) == (
            Handshake.COMPLETED,
            Outcome.ECHOED,
            True,
        )
        assert record.implementation_version_name is not None
        assert record.implementation_version_name.startswith("PYNETDICOM")


def test_rejection(tmp_path: Path) -> None:
    """A rejection through TLS is recorded with its three bytes."""
    with pynetdicom_server(tmp_path, SELF_SIGNED, V13, ssl.CERT_NONE, called=True) as port:
        record = visit(port)
    assert (record.outcome, record.rj_result, record.rj_source, record.rj_reason) == (Outcome.REJECTED, 1, 1, 7)


@pytest.mark.parametrize("demand", [False, True])
def test_orthanc(demand: bool, tmp_path: Path) -> None:
    """Orthanc, with its default (a client certificate is required) and without the requirement."""
    certificates, key = SELF_SIGNED[0].write(tmp_path)
    port = free_port()
    options = {
        "DicomPort": port, "DicomTlsEnabled": True, "DicomTlsCertificate": str(certificates),
        "DicomTlsPrivateKey": str(key), "DicomTlsTrustedCertificates": str(certificates),
        "DicomTlsRemoteCertificateRequired": demand, "DicomCheckCalledAet": False, "HttpServerEnabled": False,
        "StorageDirectory": str(tmp_path / "store"), "IndexDirectory": str(tmp_path / "store"), "Plugins": [],
    }  # fmt: skip
    (tmp_path / "orthanc.json").write_text(json.dumps(options))
    with running(["Orthanc", tmp_path / "orthanc.json"], port, tmp_path):
        record = visit(port)
    handshake_facts = facts(record)
    if demand:
        assert (handshake_facts.handshake, handshake_facts.client_certificate) == (
            Handshake.NEEDS_CLIENT_CERTIFICATE,
            ClientCertificate.REQUIRED,
        )
    else:
        assert (handshake_facts.handshake, record.outcome) == (Handshake.COMPLETED, Outcome.ECHOED)


@pytest.mark.parametrize(
    ("options", "version", "cipher"),
    [
        (("-tls1",), "TLSv1", None),
        (("-tls1_1",), "TLSv1.1", None),
        (("-tls1_2",), "TLSv1.2", None),
        (("-tls1_3",), "TLSv1.3", None),
        (("-tls1_2", "-cipher", "NULL-SHA256:@SECLEVEL=0"), "TLSv1.2", "NULL-SHA256"),
        (("-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"), "TLSv1.2", "AES128-SHA"),
    ],
)
def test_versions_and_ciphers(options: tuple[str, ...], version: str, cipher: str | None, tmp_path: Path) -> None:
    """Old versions and weak ciphers work; the server reads exactly our request and abort."""
    with s_server(tmp_path, *options) as port:
        record = visit(port)
        await_log(tmp_path / "log", OUTGOING.request + OUTGOING.abort)
    handshake_facts = facts(record)
    assert (handshake_facts.handshake, handshake_facts.version) == (Handshake.COMPLETED, version)
    assert cipher in (None, handshake_facts.cipher)
    assert record.outcome is Outcome.SILENT


def await_log(log: Path, expected: bytes) -> None:
    """Wait until a server's log has the expected length, and check that it equals the expected bytes."""
    end = time.monotonic() + START_SECONDS
    while len(log.read_bytes()) < len(expected) and time.monotonic() < end:
        time.sleep(0.05)
    assert log.read_bytes() == expected


@contextmanager
def s_server(folder: Path, *options: str) -> Iterator[int]:
    """OpenSSL's server: it logs the plaintext that it reads, and answers nothing."""
    certificates, key = SELF_SIGNED[0].write(folder)
    port = free_port()
    weak = [] if "-cipher" in options else ["-cipher", "ALL:@SECLEVEL=0"]
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-key", key, "-cert", certificates, "-quiet"]
    with running([*command, *weak, *options], port, folder) as listening:
        yield listening


def test_no_common_cipher(tmp_path: Path) -> None:
    """A server without a common cipher sends an alert."""
    with s_server(tmp_path, "-tls1_2", "-cipher", "ADH-AES256-SHA:@SECLEVEL=0") as port:
        record = visit(port)
    handshake_facts = facts(record)
    assert (handshake_facts.handshake, handshake_facts.alert_name) == (Handshake.ALERT, "handshake_failure")
    assert (handshake_facts.chain, handshake_facts.client_certificate) == ((), ClientCertificate.NOT_REQUESTED)


def visit_peer(peer: Peer) -> Visit:
    """Serve one peer and visit it through TLS."""

    async def both() -> Visit:
        server = await asyncio.start_server(peer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            return await client.visit(open_loopback, OUTGOING, echo=True, ip=LOOPBACK, port=port, over_tls=True)
        finally:
            server.close()

    return asyncio.run(both())


def sends(data: bytes, *, reset: bool = False) -> Peer:
    """A peer that reads our ClientHello, sends these bytes and closes or resets."""

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(0.1)
        if reset:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.close()

    return peer


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read everything, answer nothing."""
    await reader.read()
    writer.close()


async def dribble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send the handshake one byte at a time."""
    await reader.read(4096)
    for byte in TLS_SERVER_HELLO:
        writer.write(bytes([byte]))
        await asyncio.sleep(0.1)


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a handshake message without end."""
    writer.write(bytes.fromhex("1603034000 02ffffff") + bytes(0x4000 - 4))
    while not writer.is_closing():
        writer.write(bytes.fromhex("1603034000") + bytes(0x4000))
        await writer.drain()


@pytest.mark.parametrize(
    ("peer", "handshake", "outcome", "kind"),
    [
        (sends(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "not_tls", "not_dicom", "we_closed"),
        (sends(bytes.fromhex("07000000000400000202")), "not_tls", "aborted", "we_closed"),
        (sends(bytes(range(256))), "not_tls", "not_dicom", "we_closed"),
        (sends(bytes.fromhex("15030100020246")), "refused_version", "tls", "we_closed"),
        (sends(bytes.fromhex("15030300020228")), "alert", "tls", "we_closed"),
        (sends(TLS_SERVER_HELLO[:30]), "closed", "tls", "peer_fin"),
        (sends(TLS_SERVER_HELLO[:30], reset=True), "reset", "tls", "peer_rst"),
        (sends(b"", reset=True), "reset", "reset", "peer_rst"),
        (sends(b""), "closed", "closed", "peer_fin"),
        (silent, "deadline", "silent", "deadline"),
        (dribble, "deadline", "tls", "deadline"),
        (endless, "malformed", "tls", "we_closed"),
    ],
)
def test_peers(peer: Peer, handshake: str, outcome: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way in which a peer breaks the handshake becomes its own outcome, within the deadline."""
    monkeypatch.setattr("pipeline.associate.tls.HANDSHAKE_US", 500_000)
    record = visit_peer(peer)
    assert (facts(record).handshake, record.outcome, record.close_kind) == (handshake, outcome, kind)
    assert record.closed_us < 1_500_000


def test_a_plain_dicom_server() -> None:
    """A real DICOM service without TLS answers our ClientHello in clear, or ends the connection."""
    entity = AE(ae_title="OURS")
    entity.add_supported_context(VERIFICATION)
    server = entity.start_server(("127.0.0.1", 0), block=False)
    assert server is not None
    try:
        record = visit(server.server_address[1])
    finally:
        server.shutdown()
    assert facts(record).handshake in (Handshake.NOT_TLS, Handshake.CLOSED, Handshake.RESET)
    assert record.outcome in (Outcome.ABORTED, Outcome.CLOSED, Outcome.RESET)


def test_refused() -> None:
    """A port without a listener has no handshake."""
    record = visit(free_port())
    assert (record.outcome, record.close_kind) == (Outcome.RESET, CloseKind.PEER_RST)
    assert facts(record).handshake is Handshake.NO_CONNECTION


def test_a_plain_request_cannot_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a visit through TLS a template in clear stops the program before the template is sent."""
    monkeypatch.setattr("pipeline.associate.tls.TlsConversation.connected", lambda *_: OUTGOING.request)
    received: list[bytes] = []

    async def listening(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read())
        writer.close()

    with pytest.raises(GuardError):
        visit_peer(listening)
    assert b"".join(received) == b""


def test_listening_ends(tmp_path: Path) -> None:
    """A server that requests a client certificate and sends nothing when it gets none receives our request within a second."""
    certificates, key = SELF_SIGNED[0].write(tmp_path)
    context = server_context(certificates, key, version=V13, demand=ssl.CERT_OPTIONAL)
    context.num_tickets = 0
    entity = AE(ae_title="OURS")
    entity.add_supported_context(VERIFICATION)
    server = entity.start_server(("127.0.0.1", 0), block=False, ssl_context=context)
    assert server is not None
    try:
        record = visit(server.server_address[1])
    finally:
        server.shutdown()
    handshake_facts = facts(record)
    assert (record.outcome, handshake_facts.client_certificate) == (Outcome.ECHOED, ClientCertificate.REQUESTED)
    assert handshake_facts.handshake_us is not None and record.request_us is not None
    assert LISTEN_US <= record.request_us - handshake_facts.handshake_us < LISTEN_US + 500_000
