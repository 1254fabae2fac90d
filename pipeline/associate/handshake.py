"""What we observe of one TLS handshake, and how we judge it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from pipeline.associate.openssl import TLS_1_3, RecordingSslObject
from pipeline.associate.pdu_facts import abort_facts, grade
from pipeline.outcome import ClientCertificate, Handshake, Outcome
from pipeline.record.visit import BANNER_LIMIT, Certificate, TlsFacts, Visit
from pipeline.wire import alert
from pipeline.wire.certificate import from_message, read_chain
from pipeline.wire.guess import NON_DICOM_OUTCOMES, Opening, guess, opening
from pipeline.wire.pdu import Abort, Malformed, decode, frame

#: Content types of TLS records (RFC 8446 §5.1), and the major version of them all.
RECORD_TYPES, RECORD_MAJOR = frozenset({20, 21, 22, 23}), b"\x03"
#: Names of versions as in `ssl`.
VERSIONS: Mapping[int | None, str] = {0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", TLS_1_3: "TLSv1.3"}
#: OpenSSL's reasons for failing because the server chose a version that we do not have.
VERSION_REASONS = frozenset({"UNSUPPORTED_PROTOCOL", "WRONG_SSL_VERSION", "NO_PROTOCOLS_AVAILABLE"})
#: OpenSSL's longest reason has under 60 characters.
REASON_LIMIT = 100
#: The outcome of a visit without one byte of reply, by how the handshake ended; at a deadline the driver gives it.
OUTCOMES_WITHOUT_REPLY: Mapping[Handshake | None, Outcome] = {
    Handshake.CLOSED: Outcome.CLOSED,
    Handshake.RESET: Outcome.RESET,
}


@dataclass(slots=True)
class HandshakeLog:
    """What is observed of a handshake. The SSL object records its messages. Times are µs since the visit began."""

    ssl_object: RecordingSslObject
    hello_us: int | None = None
    first_us: int | None = None
    completed_us: int | None = None
    first_bytes: bytearray = field(default_factory=bytearray)
    """The first ciphertext received, up to BANNER_LIMIT."""
    received: int = 0
    """Bytes of ciphertext received."""
    result: Handshake | None = None
    certificate_suspected: bool = False
    """The peer closed without an alert at a point where our empty certificate may be the reason."""
    silent_outcome: Outcome = Outcome.SILENT
    """The outcome if no byte came before the deadline."""
    error: str | None = None

    def take(self, data: bytes, now_us: int) -> None:
        """Record ciphertext: keep the first bytes, count all."""
        self.first_us = now_us if self.first_us is None else self.first_us
        self.first_bytes += data[: BANNER_LIMIT - len(self.first_bytes)]
        self.received += len(data)

    def is_not_tls(self) -> bool:
        """Whether the peer's first bytes are not a TLS record."""
        return self.first_bytes[0] not in RECORD_TYPES or self.first_bytes[1:2] not in (b"", RECORD_MAJOR)

    def failure(self, reason: str | None = None) -> Handshake:
        """Why a handshake failed: by the peer's alert, after which OpenSSL sends none, or by OpenSSL's reason."""
        peer_alert = None if self.ssl_object.our_alert is not None else self.ssl_object.alert
        if peer_alert == alert.PROTOCOL_VERSION or reason in VERSION_REASONS:
            return Handshake.REFUSED_VERSION
        if peer_alert is None:
            return Handshake.MALFORMED
        return Handshake.NEEDS_CLIENT_CERTIFICATE if self.refuses_certificate() else Handshake.ALERT

    def refuses_certificate(self) -> bool:
        """Whether the peer's alert is about the client certificate that we did not send."""
        return self.ssl_object.declined and self.ssl_object.alert in alert.ABOUT_CERTIFICATE

    def client_certificate(self) -> ClientCertificate:
        """Whether the peer wants a client certificate."""
        refused = self.result is Handshake.NEEDS_CLIENT_CERTIFICATE and not self.certificate_suspected
        if refused or self.ssl_object.alert == alert.CERTIFICATE_REQUIRED:
            return ClientCertificate.REQUIRED
        if self.certificate_suspected:
            return ClientCertificate.SUSPECTED
        return ClientCertificate.REQUESTED if self.ssl_object.requested else ClientCertificate.NOT_REQUESTED

    def facts(self, started_at: int) -> TlsFacts:
        """The columns of `tls`. The leaf certificate's validity is judged at `started_at` (µs since the epoch)."""
        ssl_object = self.ssl_object
        cipher = ssl_object.cipher()
        ders = list(from_message(ssl_object.certificate or b"", extended=ssl_object.certificate_version == TLS_1_3))
        chain = read_chain(ders)
        return TlsFacts(
            handshake=self.result or Handshake.DEADLINE,
            client_certificate=self.client_certificate(),
            hello_us=self.hello_us or 0,
            first_record_us=self.first_us,
            handshake_us=self.completed_us,
            version=VERSIONS.get(ssl_object.version_seen),
            cipher=cipher[0] if cipher else None,
            alert=ssl_object.alert,
            alert_name=alert.name(ssl_object.alert),
            alert_after_handshake=None if ssl_object.alert is None else self.completed_us is not None,
            our_alert=ssl_object.our_alert,
            tls_error=self.error,
            received_bytes=self.received,
            certificate_count=len(ders),
            valid_at_visit=_is_valid_at(chain[0], started_at) if chain else None,
            chain=chain,
        )

    def without_association(self, visit: Visit, request: bytes) -> Visit:
        """Judge a visit whose request was never sent, by the first ciphertext."""
        if not self.received:
            return replace(visit, outcome=OUTCOMES_WITHOUT_REPLY.get(self.result, self.silent_outcome))
        raw = bytes(self.first_bytes)
        kind = opening(raw, request, complete=True)
        visit = replace(
            visit,
            outcome=NON_DICOM_OUTCOMES.get(kind, Outcome.MALFORMED),
            raw=raw,
            raw_length=self.received,
            first_byte_us=self.first_us,
            guess=guess(raw),
        )
        return _judge_plain_dicom(visit) if kind is Opening.DICOM else visit


def _is_valid_at(leaf: Certificate, moment: int) -> bool | None:
    """Whether a certificate's validity covers a moment (µs since the epoch); None if its dates cannot be read."""
    if leaf.not_before is None or leaf.not_after is None:
        return None
    return leaf.not_before <= moment <= leaf.not_after


def _judge_plain_dicom(visit: Visit) -> Visit:
    """Judge a reply in clear that begins like DICOM: a service without TLS may answer our hello by an A-ABORT."""
    cut = frame(visit.raw)
    pdu = None if cut is None or isinstance(cut, Malformed) else decode(cut)
    abort = abort_facts(pdu) if isinstance(pdu, Abort) else None
    outcome = Outcome.ABORTED if abort else visit.outcome
    return replace(visit, like_dicom=True, guess=None, outcome=outcome, grade=grade(outcome, []), **(abort or {}))
