"""A conversation through TLS, over bytes: complete handshakes, refusals, and any server that Hypothesis generates."""

import base64
import re
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.associate import tls
from pipeline.associate.handshake import REASON_LIMIT
from pipeline.associate.tls import ASSOCIATION_LIMIT, HANDSHAKE_LIMIT, HANDSHAKE_US, LISTEN_US, TLS_VISIT_US, Ciphertext
from pipeline.errors import GuardError
from pipeline.outcome import ClientCertificate, CloseKind, CloseStage, Handshake, Outcome
from pipeline.record.visit import TlsFacts, Visit
from pipeline.testbed.hostile import answers
from pipeline.wire.alert import ALERTS
from tests.associate.authority import issue
from tests.associate.tlspeer import OUTGOING, Server, converse, server_context, tls_conversation

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
NO, MAY, MUST = ssl.CERT_NONE, ssl.CERT_OPTIONAL, ssl.CERT_REQUIRED
VERSIONS = {V12: "TLSv1.2", V13: "TLSv1.3"}
ABORT = bytes.fromhex("07000000000400000202")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A leaf under a root, as files."""
    root = issue("root", ca=True)
    return issue("pacs.example.test", root).write(tmp_path_factory.mktemp("certificates"), root)


def facts(visit: Visit) -> TlsFacts:
    """The recorded handshake of a visit."""
    assert visit.tls is not None
    return visit.tls


def converse_with(files: tuple[Path, Path], version: ssl.TLSVersion, demand: ssl.VerifyMode) -> tuple[Visit, Server]:
    """Run a conversation with a server of one version and one certificate policy."""
    conversation, server = tls_conversation(), Server(server_context(*files, version=version, demand=demand))
    converse(conversation, server)
    return conversation.visit(), server


@pytest.mark.parametrize("demand", [NO, MAY])
@pytest.mark.parametrize("version", [V12, V13])
def test_association(files: tuple[Path, Path], version: ssl.TLSVersion, demand: ssl.VerifyMode) -> None:
    """After a completed handshake a whole association takes place; the server reads exactly the templates."""
    record, server = converse_with(files, version, demand)
    assert (record.outcome, record.released, record.close_stage) == (Outcome.ECHOED, True, CloseStage.DONE)
    assert server.received == [OUTGOING.request, OUTGOING.echo, OUTGOING.release_request]
    assert server.closed and not server.failed
    handshake_facts = facts(record)
    assert (handshake_facts.handshake, handshake_facts.version, handshake_facts.alert, handshake_facts.tls_error) == (
        Handshake.COMPLETED,
        VERSIONS[version],
        None,
        None,
    )
    policy = ClientCertificate.NOT_REQUESTED if demand is NO else ClientCertificate.REQUESTED
    assert handshake_facts.client_certificate is policy
    assert handshake_facts.certificate_count == 2
    leaf, root = handshake_facts.chain
    assert (leaf.subject_organization, leaf.signed_by_next, root.self_signed) == ("Example Hospital", True, True)


@pytest.mark.parametrize(
    ("reply_with", "outcome"),
    [
        (lambda request: answers(request[:10] + bytes(32)), Outcome.ECHOED),
        (lambda request: iter([b"\2" + request[1:]]), Outcome.REFLECTED),
    ],
    ids=["other titles", "a mirror"],
)
def test_titles(files: tuple[Path, Path], reply_with: Callable[[bytes], Iterator[bytes]], outcome: Outcome) -> None:
    """Through TLS, too, an acceptance with other AE titles is one, and our own request as an acceptance is not."""
    conversation = tls_conversation()
    server = Server(server_context(*files, version=V13, demand=NO), reply_with)
    converse(conversation, server)
    assert conversation.visit().outcome is outcome
    assert server.received[1] == (OUTGOING.echo if outcome is Outcome.ECHOED else OUTGOING.abort)


@pytest.mark.parametrize(("version", "number"), [(V12, 40), (V13, 116)])
def test_client_certificate(files: tuple[Path, Path], version: ssl.TLSVersion, number: int) -> None:
    """A server that requires a client certificate is recorded with this policy, and gets no plaintext."""
    record, server = converse_with(files, version, MUST)
    handshake_facts = facts(record)
    assert (handshake_facts.handshake, handshake_facts.client_certificate) == (
        Handshake.NEEDS_CLIENT_CERTIFICATE,
        ClientCertificate.REQUIRED,
    )
    assert (handshake_facts.alert, handshake_facts.alert_name, handshake_facts.alert_after_handshake) == (
        number,
        ALERTS[number],
        version is V13,
    )
    assert (handshake_facts.version, len(handshake_facts.chain), server.received) == (VERSIONS[version], 2, [])
    assert (record.outcome, record.close_kind, record.close_stage) == (
        Outcome.TLS,
        CloseKind.WE_CLOSED,
        CloseStage.CONNECT,
    )


@pytest.mark.parametrize("version", [V12, V13])
def test_times(files: tuple[Path, Path], version: ssl.TLSVersion) -> None:
    """Times are in order, and `connect_us` is the time of the connection, not of the request."""
    record, _ = converse_with(files, version, NO)
    handshake_facts = facts(record)
    assert (
        handshake_facts.first_record_us and handshake_facts.handshake_us and record.first_byte_us and record.answer_us
    )
    times = [
        handshake_facts.hello_us,
        handshake_facts.first_record_us,
        handshake_facts.handshake_us,
        record.first_byte_us,
        record.answer_us,
    ]
    assert times == sorted(times)
    assert record.connect_us == handshake_facts.hello_us == 1000


@pytest.mark.parametrize("version", [V12, V13])
@pytest.mark.parametrize("step", [1, 7, 100])
def test_any_pieces(files: tuple[Path, Path], version: ssl.TLSVersion, step: int) -> None:
    """However the ciphertext is cut, the conversation is the same."""
    conversation, server = tls_conversation(), Server(server_context(*files, version=version, demand=NO))
    converse(conversation, server, step=step)
    assert conversation.visit().outcome is Outcome.ECHOED


def test_close_notify(files: tuple[Path, Path]) -> None:
    """A server that sends close_notify instead of an answer has closed the connection."""
    conversation, server = (
        tls_conversation(),
        Server(server_context(*files, version=V13, demand=NO), lambda _: iter(())),
    )
    request = conversation.received(server.take(conversation.connected(1)), 2)
    conversation.received(server.take(request), 3)
    conversation.received(server.close(), 4)
    record = conversation.visit()
    assert (conversation.finished, record.outcome, record.close_kind) == (True, Outcome.CLOSED, CloseKind.PEER_FIN)


def after_handshake(files: tuple[Path, Path], version: ssl.TLSVersion, demand: ssl.VerifyMode) -> tls.TlsConversation:
    """A conversation whose side of the handshake has just been completed, or whose last flight has been sent."""
    conversation, server = tls_conversation(), Server(server_context(*files, version=version, demand=demand))
    conversation.received(server.take(conversation.connected(1)), 2)
    return conversation


@pytest.mark.parametrize("end", ["peer_closed", "peer_reset"])
@pytest.mark.parametrize("version", [V12, V13])
def test_suspected(files: tuple[Path, Path], version: ssl.TLSVersion, end: str) -> None:
    """A server that closes without an alert when it gets no client certificate is suspected of requiring one."""
    conversation = after_handshake(files, version, MUST)
    getattr(conversation, end)(3)
    handshake_facts = facts(conversation.visit())
    assert (handshake_facts.handshake, handshake_facts.client_certificate, handshake_facts.alert) == (
        Handshake.NEEDS_CLIENT_CERTIFICATE,
        ClientCertificate.SUSPECTED,
        None,
    )
    assert conversation.visit().outcome is Outcome.TLS


def test_warned(files: tuple[Path, Path]) -> None:
    """A server that sends an alert before it closes is not suspected: the alert is the reason."""
    conversation = after_handshake(files, V12, MUST)
    conversation.received(bytes.fromhex("1503030002012a"), 3)
    conversation.peer_closed(4)
    handshake_facts = facts(conversation.visit())
    assert (handshake_facts.handshake, handshake_facts.client_certificate, handshake_facts.alert_name) == (
        Handshake.NEEDS_CLIENT_CERTIFICATE,
        ClientCertificate.REQUIRED,
        "bad_certificate",
    )


def test_suspected_later(files: tuple[Path, Path]) -> None:
    """A server that closes after our request completed the handshake, and its certificate request is recorded."""
    conversation = after_handshake(files, V13, MUST)
    assert conversation.next_deadline_us == 2 + LISTEN_US
    assert conversation.deadline(2 + LISTEN_US)
    assert not conversation.finished
    conversation.peer_closed(3 + LISTEN_US)
    record = conversation.visit()
    assert (facts(record).handshake, facts(record).client_certificate) == (
        Handshake.COMPLETED,
        ClientCertificate.SUSPECTED,
    )
    assert (record.outcome, record.close_stage) == (Outcome.CLOSED, CloseStage.ASSOCIATE)


def test_silent_association(files: tuple[Path, Path]) -> None:
    """Through TLS, too, a peer that never answers gets an A-ABORT and then close_notify."""
    conversation, server = (
        tls_conversation(),
        Server(server_context(*files, version=V13, demand=NO), lambda _: iter(())),
    )
    converse(conversation, server)
    assert server.received == [OUTGOING.request, OUTGOING.abort]
    assert server.closed
    assert (conversation.visit().outcome, conversation.visit().close_kind) == (Outcome.SILENT, CloseKind.DEADLINE)
    assert conversation.next_deadline_us <= TLS_VISIT_US


ALERTED = [
    (70, Handshake.REFUSED_VERSION),
    (40, Handshake.ALERT),
    (80, Handshake.ALERT),
    (116, Handshake.ALERT),
    (255, Handshake.ALERT),
]


@pytest.mark.parametrize(("number", "handshake"), ALERTED)
def test_alert_to_our_hello(number: int, handshake: Handshake) -> None:
    """An alert that answers our ClientHello is kept with its number."""
    conversation = tls_conversation()
    conversation.connected(1)
    assert conversation.received(bytes([21, 3, 3, 0, 2, 2, number]), 2) == b""
    handshake_facts = facts(conversation.visit())
    assert (handshake_facts.handshake, handshake_facts.alert, handshake_facts.alert_name) == (
        handshake,
        number,
        ALERTS.get(number),
    )
    assert handshake_facts.alert_after_handshake is False
    assert (conversation.visit().outcome, conversation.visit().guess) == (Outcome.TLS, "tls")


PLAIN = [
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", Outcome.NOT_DICOM, "http"),
    (b"\0", Outcome.NOT_DICOM, None),
    (b"\x16\x05\x01", Outcome.NOT_DICOM, None),
    (ABORT, Outcome.ABORTED, None),
    (bytes.fromhex("03000000000400010107"), Outcome.MALFORMED, None),
    (ABORT[:4], Outcome.MALFORMED, None),
]


@pytest.mark.parametrize(("reply", "outcome", "guess"), PLAIN)
def test_plain_answer(reply: bytes, outcome: Outcome, guess: str | None) -> None:
    """A peer that answers our ClientHello in clear gets no further byte; an A-ABORT identifies a DICOM service."""
    conversation = tls_conversation()
    conversation.connected(1)
    assert conversation.received(reply, 2) == b""
    record = conversation.visit()
    assert (conversation.finished, facts(record).handshake) == (True, Handshake.NOT_TLS)
    assert (record.outcome, record.guess, record.raw, record.raw_length) == (outcome, guess, reply, len(reply))
    assert (record.abort_source, record.abort_reason) == ((2, 2) if outcome is Outcome.ABORTED else (None, None))


@pytest.mark.parametrize(
    ("end", "handshake", "outcome", "kind"),
    [
        ("peer_closed", Handshake.CLOSED, Outcome.CLOSED, CloseKind.PEER_FIN),
        ("peer_reset", Handshake.RESET, Outcome.RESET, CloseKind.PEER_RST),
        ("deadline", Handshake.DEADLINE, Outcome.SILENT, CloseKind.DEADLINE),
    ],
)
def test_no_answer(end: str, handshake: Handshake, outcome: Outcome, kind: CloseKind) -> None:
    """A peer that does not answer our ClientHello is classified by how it ends the connection; nothing more is sent."""
    conversation = tls_conversation()
    conversation.connected(1)
    assert conversation.next_deadline_us == 1 + HANDSHAKE_US
    assert getattr(conversation, end)(2) == b""
    record = conversation.visit()
    assert (facts(record).handshake, record.outcome, record.close_kind) == (handshake, outcome, kind)
    assert facts(record).first_record_us is None


@pytest.mark.parametrize("outcome", [Outcome.UNACKNOWLEDGED, Outcome.ZERO_WINDOW])
def test_what_silence_means(outcome: Outcome) -> None:
    """The driver gives the outcome of silence."""
    conversation = tls_conversation()
    conversation.connected(1)
    conversation.deadline(2, if_silent=outcome)
    assert conversation.visit().outcome is outcome


@pytest.mark.parametrize(
    ("end", "outcome", "kind"),
    [
        ("connect_failed", Outcome.UNACKNOWLEDGED, CloseKind.WE_CLOSED),
        ("deadline", Outcome.UNACKNOWLEDGED, CloseKind.DEADLINE),
    ],
)
def test_no_connection(end: str, outcome: Outcome, kind: CloseKind) -> None:
    """Without a connection there is no handshake, and the record equals that of a plain visit."""
    conversation = tls_conversation()
    assert getattr(conversation, end)(2) == b""
    assert (conversation.visit().outcome, conversation.visit().close_kind) == (outcome, kind)
    assert (record := conversation.visit().tls) and (record.handshake, record.hello_us) == (
        Handshake.NO_CONNECTION,
        None,
    )
    assert conversation.finished


@pytest.mark.parametrize(
    ("end", "handshake"), [("peer_closed", "closed"), ("peer_reset", "reset"), ("deadline", "deadline")]
)
def test_cut_handshake(files: tuple[Path, Path], end: str, handshake: str) -> None:
    """A first flight cut at any byte gives the handshake's end, however much was received."""
    context = server_context(*files, version=V12, demand=NO)
    for size in (*range(1, 2000, 97), -1):
        conversation = tls_conversation()
        flight = Server(context).take(conversation.connected(1))
        assert len(flight) > 2000
        conversation.received(flight[:size], 2)
        assert not conversation.finished
        getattr(conversation, end)(3)
        assert facts(conversation.visit()).handshake == handshake
        assert conversation.visit().outcome in (Outcome.TLS, Outcome.NOT_DICOM)


def our_hello() -> bytes:
    """Our ClientHello."""
    return tls_conversation().connected(1)


def test_endless_handshake() -> None:
    """A handshake of more than 64 KiB ends the visit."""
    conversation = tls_conversation()
    conversation.connected(1)
    # An endless Certificate message of 2^20 bytes would do, but OpenSSL expects a ServerHello first, of 2^16.
    record = bytes.fromhex("1603034000")
    sent = 0
    data = record + bytes.fromhex("0200ffff") + bytes(0x4000 - 4)
    while not conversation.finished:
        conversation.received(data, 2)
        sent += len(data)
        data = record + bytes(0x4000)
    assert facts(conversation.visit()).handshake is Handshake.MALFORMED
    assert sent <= HANDSHAKE_LIMIT + len(data)


def test_huge_group(tmp_path: Path) -> None:
    """A Diffie-Hellman group that would cost a second of processor time ends the visit before the calculation."""
    certificates, key = issue("pacs.example.test").write(tmp_path)
    context = server_context(certificates, key, version=V12, demand=NO)
    context.set_ciphers("DHE-RSA-AES256-SHA:@SECLEVEL=0")
    for bits, after_handshake in ((2048, True), (8192, False)):
        group = tmp_path / "group.pem"
        group.write_text(parameters(bits))
        context.load_dh_params(group)
        conversation = tls_conversation()
        reply = conversation.received(Server(context).take(conversation.connected(1)), 2)
        assert bool(reply) is after_handshake is not conversation.finished
    assert facts(conversation.visit()).handshake is Handshake.MALFORMED
    assert facts(conversation.visit()).tls_error == "Diffie-Hellman group of more than 4096 bits"


def parameters(bits: int) -> str:
    """Diffie-Hellman parameters with an odd number in place of a prime, as PEM (PKCS #3)."""
    size = bits // 8
    prime = b"\x02\x82" + (size + 1).to_bytes(2) + b"\0" + b"\xff" * size
    der = b"\x30\x82" + (len(prime) + 3).to_bytes(2) + prime + b"\x02\x01\x02"
    return f"-----BEGIN DH PARAMETERS-----\n{base64.encodebytes(der).decode()}-----END DH PARAMETERS-----\n"


def test_endless_records(files: tuple[Path, Path]) -> None:
    """A peer that sends session tickets without end instead of an answer ends the visit."""
    context = server_context(*files, version=V13, demand=NO)
    conversation, server = tls_conversation(), Server(context, lambda _: iter([b"\x02" + bytes(5) for _ in range(9)]))
    data = conversation.received(server.take(conversation.connected(1)), 2)
    server.take(data)
    assert not conversation.finished
    flood = b"\x17\x03\x03\x40\x00" + bytes(0x4000)
    conversation.received(flood * 5, 3)
    assert conversation.finished
    assert (
        facts(conversation.visit()).tls_error
        == f"more than {ASSOCIATION_LIMIT + facts(conversation.visit()).received_bytes - len(flood) * 5} bytes"
    )


def test_bad_record(files: tuple[Path, Path]) -> None:
    """A record that does not decrypt ends the conversation, and the peer gets the alert."""
    conversation = after_handshake(files, V13, NO)
    reply = conversation.received(b"\x17\x03\x03\x00\x20" + bytes(32), 3)
    record = conversation.visit()
    assert (conversation.finished, record.outcome, record.close_kind) == (True, Outcome.TLS, CloseKind.WE_CLOSED)
    assert (facts(record).handshake, facts(record).our_alert) == (Handshake.COMPLETED, 20)
    assert reply


def test_only_templates_are_encrypted(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are not a template stop the program before encryption."""
    monkeypatch.setattr("pipeline.associate.conversation.Conversation.connected", lambda *_: OUTGOING.request + b"\0")
    with pytest.raises(GuardError):
        after_handshake(files, V13, NO)


def test_only_ciphertext_may_leave() -> None:
    """On a TLS connection no plain template may be sent, only OpenSSL's output."""
    for template in OUTGOING.templates.values():
        with pytest.raises(GuardError):
            tls.require_ciphertext(template)
    hello = tls_conversation().connected(1)
    assert tls.require_ciphertext(hello) == hello


def test_our_hello() -> None:
    """Our ClientHello offers TLS 1.0 to 1.3, names no server and carries no session."""
    hello = our_hello()
    assert hello[:3] == bytes.fromhex("160301")
    assert b"\x00\x2b\x00\x09\x08\x03\x04\x03\x03\x03\x02\x03\x01" in hello  # supported_versions
    extensions = dict(extensions_of(hello))
    assert 0 not in extensions and 41 not in extensions and 35 not in extensions  # SNI, pre-shared key, ticket


def extensions_of(hello: bytes) -> list[tuple[int, bytes]]:
    """The extensions of a ClientHello in one record (RFC 8446 §4.1.2)."""
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]
    at += 2 + int.from_bytes(hello[at : at + 2])
    at += 1 + hello[at]
    at += 2
    extensions = []
    while at < len(hello):
        size = int.from_bytes(hello[at + 2 : at + 4])
        extensions.append((int.from_bytes(hello[at : at + 2]), hello[at + 4 : at + 4 + size]))
        at += 4 + size
    return extensions


ENDS = st.sampled_from(["peer_closed", "peer_reset", "deadline"])


@given(st.lists(st.binary(min_size=1, max_size=80), max_size=5), ENDS)
def test_any_bytes(replies: list[bytes], end: str) -> None:
    """Any bytes in answer give a documented outcome, and only ciphertext is sent."""
    check_any(replies, end)


@given(st.lists(st.binary(min_size=1, max_size=80), min_size=1, max_size=5), ENDS)
def test_any_records(bodies: list[bytes], end: str) -> None:
    """Any bytes in well-framed records give a documented outcome, too."""
    check_any([bytes([20 + body[0] % 4, 3, 3]) + len(body).to_bytes(2) + body for body in bodies], end)


@given(st.data())
def test_mutated_flights(files: tuple[Path, Path], data: st.DataObject) -> None:
    """A server's flights with bytes replaced, added or removed give a documented outcome."""
    version, demand = data.draw(st.sampled_from([V12, V13])), data.draw(st.sampled_from([NO, MAY, MUST]))
    server = Server(server_context(*files, version=version, demand=demand))
    conversation, now = tls_conversation(), 1
    sent = conversation.connected(now)
    while not conversation.finished and (flight := server.take(sent)):
        at, cut = data.draw(st.integers(0, len(flight))), data.draw(st.integers(0, 4))
        flight = flight[:at] + data.draw(st.binary(max_size=4)) + flight[at + cut :]
        now += 1
        sent = conversation.received(flight, now)
        assert isinstance(sent, Ciphertext)
    finish(conversation, data.draw(ENDS))
    assert all(OUTGOING.allows(received) for received in server.received)


def check_any(replies: list[bytes], end: str) -> None:
    """Answer our ClientHello with these replies."""
    conversation = tls_conversation()
    conversation.connected(1)
    for reply in replies:
        assert isinstance(conversation.received(reply, 2), Ciphertext)
    finish(conversation, end)


def finish(conversation: tls.TlsConversation, end: str) -> None:
    """End a conversation, and check the invariants of every conversation."""
    for _ in range(3):
        if not conversation.finished:
            assert isinstance(getattr(conversation, end)(conversation.next_deadline_us), Ciphertext)
    assert conversation.finished
    record = conversation.visit()
    handshake_facts = facts(record)
    assert (
        record.outcome in Outcome
        and handshake_facts.handshake in Handshake
        and handshake_facts.client_certificate in ClientCertificate
    )
    assert (handshake_facts.handshake_us is None) or handshake_facts.handshake in (
        Handshake.COMPLETED,
        Handshake.NEEDS_CLIENT_CERTIFICATE,
    )
    assert handshake_facts.tls_error is None or len(handshake_facts.tls_error) <= REASON_LIMIT
    assert conversation.received(b"more", 9) == b"" and conversation.deadline(10) == b""


def test_the_page_is_complete() -> None:
    """`docs/tls.md` lists every result of a handshake and every certificate policy with its explanation."""
    page = (Path(__file__).parents[2] / "docs" / "tls.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", page, re.MULTILINE))
    del rows["handshake"], rows["client_certificate"]  # headings
    assert rows == {member.value: member.explanation for kind in (Handshake, ClientCertificate) for member in kind}
