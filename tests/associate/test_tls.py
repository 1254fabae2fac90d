"""TLS around a conversation, over bytes: whole handshakes, refusals, and any server that Hypothesis can think of."""

import base64
import re
import ssl
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.associate import tls
from pipeline.associate.handshake import REASON_LIMIT
from pipeline.associate.tls import HANDSHAKE_LIMIT, HANDSHAKE_US, LISTEN_US, TALK_LIMIT, WHOLE_TLS_US, Sealed
from pipeline.errors import GuardError
from pipeline.outcome import ClientCertificate, CloseKind, CloseStage, Handshake, Outcome
from pipeline.record.visit import TlsFacts, Visit
from pipeline.wire.alert import ALERTS
from tests.associate.authority import issue
from tests.associate.tlspeer import OUTGOING, Server, hold, secured, server_context

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
    """The handshake of a visit, which must be there."""
    assert visit.tls is not None
    return visit.tls


def held(files: tuple[Path, Path], version: ssl.TLSVersion, demand: ssl.VerifyMode) -> tuple[Visit, Server]:
    """Hold a conversation with a server of one version and demand."""
    talk, server = secured(), Server(server_context(*files, version=version, demand=demand))
    hold(talk, server)
    return talk.visit(), server


@pytest.mark.parametrize("demand", [NO, MAY])
@pytest.mark.parametrize("version", [V12, V13])
def test_association(files: tuple[Path, Path], version: ssl.TLSVersion, demand: ssl.VerifyMode) -> None:
    """Through a completed handshake goes a whole association, and the server reads the templates and nothing else."""
    seen, server = held(files, version, demand)
    assert (seen.outcome, seen.released, seen.close_stage) == (Outcome.ECHOED, True, CloseStage.DONE)
    assert server.heard == [OUTGOING.request, OUTGOING.echo, OUTGOING.release_request]
    assert server.closed and not server.failed
    known = facts(seen)
    assert (known.handshake, known.version, known.alert, known.tls_error) == (
        Handshake.COMPLETED,
        VERSIONS[version],
        None,
        None,
    )
    asked = ClientCertificate.NOT_REQUESTED if demand is NO else ClientCertificate.REQUESTED
    assert known.client_certificate is asked
    assert known.certificate_count == 2
    leaf, root = known.chain
    assert (leaf.subject_organization, leaf.signed_by_next, root.self_signed) == ("Example Hospital", True, True)


@pytest.mark.parametrize(("version", "number"), [(V12, 40), (V13, 116)])
def test_client_certificate(files: tuple[Path, Path], version: ssl.TLSVersion, number: int) -> None:
    """A server that must see a client certificate says so, and not a byte of plaintext was sent to it."""
    seen, server = held(files, version, MUST)
    known = facts(seen)
    assert (known.handshake, known.client_certificate) == (
        Handshake.NEEDS_CLIENT_CERTIFICATE,
        ClientCertificate.REQUIRED,
    )
    assert (known.alert, known.alert_name, known.alert_after_handshake) == (number, ALERTS[number], version is V13)
    assert (known.version, len(known.chain), server.heard) == (VERSIONS[version], 2, [])
    assert (seen.outcome, seen.close_kind, seen.close_stage) == (
        Outcome.TLS,
        CloseKind.WE_CLOSED,
        CloseStage.CONNECT,
    )


@pytest.mark.parametrize("version", [V12, V13])
def test_times(files: tuple[Path, Path], version: ssl.TLSVersion) -> None:
    """Times follow each other, and the connection's is not the request's."""
    seen, _ = held(files, version, NO)
    known = facts(seen)
    assert known.first_record_us and known.handshake_us and seen.first_byte_us and seen.answer_us
    times = [known.hello_us, known.first_record_us, known.handshake_us, seen.first_byte_us, seen.answer_us]
    assert times == sorted(times)
    assert seen.connect_us == known.hello_us == 1000


@pytest.mark.parametrize("version", [V12, V13])
@pytest.mark.parametrize("step", [1, 7, 100])
def test_any_pieces(files: tuple[Path, Path], version: ssl.TLSVersion, step: int) -> None:
    """However the ciphertext is cut, the conversation is the same."""
    talk, server = secured(), Server(server_context(*files, version=version, demand=NO))
    hold(talk, server, step=step)
    assert talk.visit().outcome is Outcome.ECHOED


def test_close_notify(files: tuple[Path, Path]) -> None:
    """A server that says close_notify instead of an answer has closed the connection."""
    talk, server = secured(), Server(server_context(*files, version=V13, demand=NO), lambda _: iter(()))
    request = talk.received(server.take(talk.connected(1)), 2)
    talk.received(server.take(request), 3)
    talk.received(server.close(), 4)
    seen = talk.visit()
    assert (talk.finished, seen.outcome, seen.close_kind) == (True, Outcome.CLOSED, CloseKind.PEER_FIN)


def shaken(files: tuple[Path, Path], version: ssl.TLSVersion, demand: ssl.VerifyMode) -> tls.Secured:
    """A conversation whose side of the handshake has just been completed, or whose last flight of it was sent."""
    talk, server = secured(), Server(server_context(*files, version=version, demand=demand))
    talk.received(server.take(talk.connected(1)), 2)
    return talk


@pytest.mark.parametrize("end", ["peer_closed", "peer_reset"])
@pytest.mark.parametrize("version", [V12, V13])
def test_suspected(files: tuple[Path, Path], version: ssl.TLSVersion, end: str) -> None:
    """A server that leaves without a word when it gets no client certificate is under suspicion of wanting one."""
    talk = shaken(files, version, MUST)
    getattr(talk, end)(3)
    known = facts(talk.visit())
    assert (known.handshake, known.client_certificate, known.alert) == (
        Handshake.NEEDS_CLIENT_CERTIFICATE,
        ClientCertificate.SUSPECTED,
        None,
    )
    assert talk.visit().outcome is Outcome.TLS


def test_warned(files: tuple[Path, Path]) -> None:
    """One that warns before it leaves has given its word: there is no suspicion."""
    talk = shaken(files, V12, MUST)
    talk.received(bytes.fromhex("1503030002012a"), 3)
    talk.peer_closed(4)
    known = facts(talk.visit())
    assert (known.handshake, known.client_certificate, known.alert_name) == (
        Handshake.NEEDS_CLIENT_CERTIFICATE,
        ClientCertificate.REQUIRED,
        "bad_certificate",
    )


def test_suspected_later(files: tuple[Path, Path]) -> None:
    """One that leaves after our request had its reasons; that it had asked for a certificate is noted."""
    talk = shaken(files, V13, MUST)
    assert talk.next_deadline_us == 2 + LISTEN_US
    assert talk.deadline(2 + LISTEN_US)
    assert not talk.finished
    talk.peer_closed(3 + LISTEN_US)
    seen = talk.visit()
    assert (facts(seen).handshake, facts(seen).client_certificate) == (
        Handshake.COMPLETED,
        ClientCertificate.SUSPECTED,
    )
    assert (seen.outcome, seen.close_stage) == (Outcome.CLOSED, CloseStage.ASSOCIATE)


def test_silent_association(files: tuple[Path, Path]) -> None:
    """Through TLS, too, a peer that never answers the request hears an A-ABORT, and then close_notify."""
    talk, server = secured(), Server(server_context(*files, version=V13, demand=NO), lambda _: iter(()))
    hold(talk, server)
    assert server.heard == [OUTGOING.request, OUTGOING.abort]
    assert server.closed
    assert (talk.visit().outcome, talk.visit().close_kind) == (Outcome.SILENT, CloseKind.DEADLINE)
    assert talk.next_deadline_us <= WHOLE_TLS_US


ALERTED = [
    (70, Handshake.REFUSED_VERSION),
    (40, Handshake.ALERT),
    (80, Handshake.ALERT),
    (116, Handshake.ALERT),
    (255, Handshake.ALERT),
]


@pytest.mark.parametrize(("number", "handshake"), ALERTED)
def test_alert_to_our_hello(number: int, handshake: Handshake) -> None:
    """An alert in answer to our hello is kept with its number."""
    talk = secured()
    talk.connected(1)
    assert talk.received(bytes([21, 3, 3, 0, 2, 2, number]), 2) == b""
    known = facts(talk.visit())
    assert (known.handshake, known.alert, known.alert_name) == (handshake, number, ALERTS.get(number))
    assert known.alert_after_handshake is False
    assert (talk.visit().outcome, talk.visit().guess) == (Outcome.TLS, "tls")


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
    """Who answers our hello in plain is left at once, without another byte; an A-ABORT is a DICOM service's."""
    talk = secured()
    talk.connected(1)
    assert talk.received(reply, 2) == b""
    seen = talk.visit()
    assert (talk.finished, facts(seen).handshake) == (True, Handshake.NOT_TLS)
    assert (seen.outcome, seen.guess, seen.raw, seen.raw_length) == (outcome, guess, reply, len(reply))
    assert (seen.abort_source, seen.abort_reason) == ((2, 2) if outcome is Outcome.ABORTED else (None, None))


@pytest.mark.parametrize(
    ("end", "handshake", "outcome", "kind"),
    [
        ("peer_closed", Handshake.CLOSED, Outcome.CLOSED, CloseKind.PEER_FIN),
        ("peer_reset", Handshake.RESET, Outcome.RESET, CloseKind.PEER_RST),
        ("deadline", Handshake.DEADLINE, Outcome.SILENT, CloseKind.DEADLINE),
    ],
)
def test_no_answer(end: str, handshake: Handshake, outcome: Outcome, kind: CloseKind) -> None:
    """Who says nothing to our hello is told apart by how it ended; nothing more is sent."""
    talk = secured()
    talk.connected(1)
    assert talk.next_deadline_us == 1 + HANDSHAKE_US
    assert getattr(talk, end)(2) == b""
    seen = talk.visit()
    assert (facts(seen).handshake, seen.outcome, seen.close_kind) == (handshake, outcome, kind)
    assert facts(seen).first_record_us is None


@pytest.mark.parametrize("nothing", [Outcome.UNACKNOWLEDGED, Outcome.ZERO_WINDOW])
def test_what_silence_means(nothing: Outcome) -> None:
    """What it means that nothing came is for the driver to say."""
    talk = secured()
    talk.connected(1)
    talk.deadline(2, nothing=nothing)
    assert talk.visit().outcome is nothing


@pytest.mark.parametrize(
    ("end", "outcome", "kind"),
    [
        ("connect_failed", Outcome.UNACKNOWLEDGED, CloseKind.WE_CLOSED),
        ("deadline", Outcome.UNACKNOWLEDGED, CloseKind.DEADLINE),
    ],
)
def test_no_connection(end: str, outcome: Outcome, kind: CloseKind) -> None:
    """Without a connection there is no handshake, and the visit is a plain one's."""
    talk = secured()
    assert getattr(talk, end)(2) == b""
    assert (talk.visit().outcome, talk.visit().close_kind) == (outcome, kind)
    assert (seen := talk.visit().tls) and (seen.handshake, seen.hello_us) == (Handshake.NO_CONNECTION, None)
    assert talk.finished


@pytest.mark.parametrize(
    ("end", "handshake"), [("peer_closed", "closed"), ("peer_reset", "reset"), ("deadline", "deadline")]
)
def test_cut_handshake(files: tuple[Path, Path], end: str, handshake: str) -> None:
    """A server's first flight cut at any byte gives that end of the handshake, and what was seen of it."""
    context = server_context(*files, version=V12, demand=NO)
    for size in (*range(1, 2000, 97), -1):
        talk = secured()
        flight = Server(context).take(talk.connected(1))
        assert len(flight) > 2000
        talk.received(flight[:size], 2)
        assert not talk.finished
        getattr(talk, end)(3)
        assert facts(talk.visit()).handshake == handshake
        assert talk.visit().outcome in (Outcome.TLS, Outcome.NOT_DICOM)


def secured_hello() -> bytes:
    """A hello of ours."""
    return secured().connected(1)


def test_endless_handshake() -> None:
    """A handshake of more than 64 KiB is left."""
    talk = secured()
    talk.connected(1)
    # A Certificate message of 2^20 bytes that never ends would be one; OpenSSL wants a ServerHello first, of 2^16.
    record = bytes.fromhex("1603034000")
    sent = 0
    data = record + bytes.fromhex("0200ffff") + bytes(0x4000 - 4)
    while not talk.finished:
        talk.received(data, 2)
        sent += len(data)
        data = record + bytes(0x4000)
    assert facts(talk.visit()).handshake is Handshake.MALFORMED
    assert sent <= HANDSHAKE_LIMIT + len(data)


def test_huge_group(tmp_path: Path) -> None:
    """A server whose Diffie-Hellman group would cost us a second of processor time is left before it does."""
    certificates, key = issue("pacs.example.test").write(tmp_path)
    context = server_context(certificates, key, version=V12, demand=NO)
    context.set_ciphers("DHE-RSA-AES256-SHA:@SECLEVEL=0")
    for bits, shaken in ((2048, True), (8192, False)):
        group = tmp_path / "group.pem"
        group.write_text(parameters(bits))
        context.load_dh_params(group)
        talk = secured()
        reply = talk.received(Server(context).take(talk.connected(1)), 2)
        assert bool(reply) is shaken is not talk.finished
    assert facts(talk.visit()).handshake is Handshake.MALFORMED
    assert facts(talk.visit()).tls_error == "Diffie-Hellman group of more than 4096 bits"


def parameters(bits: int) -> str:
    """Diffie-Hellman parameters with an odd number for a prime, as PEM (PKCS #3)."""
    size = bits // 8
    prime = b"\x02\x82" + (size + 1).to_bytes(2) + b"\0" + b"\xff" * size
    der = b"\x30\x82" + (len(prime) + 3).to_bytes(2) + prime + b"\x02\x01\x02"
    return f"-----BEGIN DH PARAMETERS-----\n{base64.encodebytes(der).decode()}-----END DH PARAMETERS-----\n"


def test_endless_records(files: tuple[Path, Path]) -> None:
    """A peer that sends session tickets without end instead of an answer is left."""
    context = server_context(*files, version=V13, demand=NO)
    talk, server = secured(), Server(context, lambda _: iter([b"\x02" + bytes(5) for _ in range(9)]))
    data = talk.received(server.take(talk.connected(1)), 2)
    server.take(data)
    assert not talk.finished
    flood = b"\x17\x03\x03\x40\x00" + bytes(0x4000)
    talk.received(flood * 5, 3)
    assert talk.finished
    assert (
        facts(talk.visit()).tls_error
        == f"more than {TALK_LIMIT + facts(talk.visit()).received_bytes - len(flood) * 5} bytes"
    )


def test_bad_record(files: tuple[Path, Path]) -> None:
    """A record that does not decrypt ends the conversation, and the peer hears why."""
    talk = shaken(files, V13, NO)
    reply = talk.received(b"\x17\x03\x03\x00\x20" + bytes(32), 3)
    seen = talk.visit()
    assert (talk.finished, seen.outcome, seen.close_kind) == (True, Outcome.TLS, CloseKind.WE_CLOSED)
    assert (facts(seen).handshake, facts(seen).our_alert) == (Handshake.COMPLETED, 20)
    assert reply


def test_only_templates_are_sealed(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are no template stop the program before they are encrypted, whatever made them."""
    monkeypatch.setattr("pipeline.associate.conversation.Conversation.connected", lambda *_: OUTGOING.request + b"\0")
    with pytest.raises(GuardError):
        shaken(files, V13, NO)


def test_only_ciphertext_may_leave() -> None:
    """On a connection that is to speak TLS no plain template may leave, only what OpenSSL sealed."""
    for template in OUTGOING.templates.values():
        with pytest.raises(GuardError):
            tls.require_sealed(template)
    hello = secured().connected(1)
    assert tls.require_sealed(hello) == hello


def test_our_hello() -> None:
    """Our hello offers TLS 1.0 to 1.3, names no server and carries no session."""
    hello = secured_hello()
    assert hello[:3] == bytes.fromhex("160301")
    assert b"\x00\x2b\x00\x09\x08\x03\x04\x03\x03\x03\x02\x03\x01" in hello  # supported_versions
    extensions = dict(walk(hello))
    assert 0 not in extensions and 41 not in extensions and 35 not in extensions  # SNI, pre-shared key, ticket


def walk(hello: bytes) -> list[tuple[int, bytes]]:
    """The extensions of a ClientHello in one record (RFC 8446 §4.1.2)."""
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]
    at += 2 + int.from_bytes(hello[at : at + 2])
    at += 1 + hello[at]
    at += 2
    found = []
    while at < len(hello):
        size = int.from_bytes(hello[at + 2 : at + 4])
        found.append((int.from_bytes(hello[at : at + 2]), hello[at + 4 : at + 4 + size]))
        at += 4 + size
    return found


ENDS = st.sampled_from(["peer_closed", "peer_reset", "deadline"])


@given(st.lists(st.binary(min_size=1, max_size=80), max_size=5), ENDS)
def test_any_bytes(replies: list[bytes], end: str) -> None:
    """Any bytes for an answer give a documented outcome, and ciphertext at most."""
    sound(replies, end)


@given(st.lists(st.binary(min_size=1, max_size=80), min_size=1, max_size=5), ENDS)
def test_any_records(bodies: list[bytes], end: str) -> None:
    """Any bytes in well-framed records do, too."""
    sound([bytes([20 + body[0] % 4, 3, 3]) + len(body).to_bytes(2) + body for body in bodies], end)


@given(st.data())
def test_mutated_flights(files: tuple[Path, Path], data: st.DataObject) -> None:
    """A server's flights with bytes replaced, added or removed give a documented outcome."""
    version, demand = data.draw(st.sampled_from([V12, V13])), data.draw(st.sampled_from([NO, MAY, MUST]))
    server = Server(server_context(*files, version=version, demand=demand))
    talk, now = secured(), 1
    sent = talk.connected(now)
    while not talk.finished and (flight := server.take(sent)):
        at, cut = data.draw(st.integers(0, len(flight))), data.draw(st.integers(0, 4))
        flight = flight[:at] + data.draw(st.binary(max_size=4)) + flight[at + cut :]
        now += 1
        sent = talk.received(flight, now)
        assert isinstance(sent, Sealed)
    finish(talk, data.draw(ENDS))
    assert all(OUTGOING.allows(heard) for heard in server.heard)


def sound(replies: list[bytes], end: str) -> None:
    """Answer a hello so."""
    talk = secured()
    talk.connected(1)
    for reply in replies:
        assert isinstance(talk.received(reply, 2), Sealed)
    finish(talk, end)


def finish(talk: tls.Secured, end: str) -> None:
    """End a conversation in a way, and hold what must be so of any."""
    for _ in range(3):
        if not talk.finished:
            assert isinstance(getattr(talk, end)(talk.next_deadline_us), Sealed)
    assert talk.finished
    seen = talk.visit()
    known = facts(seen)
    assert seen.outcome in Outcome and known.handshake in Handshake and known.client_certificate in ClientCertificate
    assert (known.handshake_us is None) or known.handshake in (Handshake.COMPLETED, Handshake.NEEDS_CLIENT_CERTIFICATE)
    assert known.tls_error is None or len(known.tls_error) <= REASON_LIMIT
    assert talk.received(b"more", 9) == b"" and talk.deadline(10) == b""


def test_the_page_is_complete() -> None:
    """`docs/tls.md` lists every end of a handshake and every demand with its explanation."""
    page = (Path(__file__).parents[2] / "docs" / "tls.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", page, re.MULTILINE))
    del rows["handshake"], rows["client_certificate"]  # headings
    assert rows == {member.value: member.explanation for kind in (Handshake, ClientCertificate) for member in kind}
