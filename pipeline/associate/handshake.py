"""What is seen of one TLS handshake, and how it is judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from pipeline.associate.openssl import TLS_1_3, Witness
from pipeline.associate.pdu_facts import grade, of_abort
from pipeline.outcome import ClientCertificate, Handshake, Outcome
from pipeline.record.visit import BANNER_LIMIT, Certificate, TlsFacts, Visit
from pipeline.wire import alert
from pipeline.wire.certificate import from_message, read_chain
from pipeline.wire.guess import NON_DICOM_OUTCOMES, Opening, guess, opening
from pipeline.wire.pdu import Abort, Malformed, decode, frame

#: Content types of TLS records (RFC 8446 §5.1) and the major version that all have.
RECORD_TYPES, RECORD_MAJOR = frozenset({20, 21, 22, 23}), b"\x03"
#: Names of versions as `ssl` gives them.
VERSIONS: Mapping[int | None, str] = {0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", TLS_1_3: "TLSv1.3"}
#: OpenSSL's words for a version that the server chose and we do not have.
VERSION_REASONS = frozenset({"UNSUPPORTED_PROTOCOL", "WRONG_SSL_VERSION", "NO_PROTOCOLS_AVAILABLE"})
#: OpenSSL's longest reason has under 60 characters.
REASON_LIMIT = 100
#: What no reply at all is, by how the handshake ended; at a deadline it is what the driver says.
SPEECHLESS: Mapping[Handshake | None, Outcome] = {Handshake.CLOSED: Outcome.CLOSED, Handshake.RESET: Outcome.RESET}


@dataclass(slots=True)
class Seen:
    """What is seen of a handshake besides its messages, which the witness has. Times are µs since the visit began."""

    witness: Witness
    hello_us: int | None = None
    first_us: int | None = None
    completed_us: int | None = None
    first: bytearray = field(default_factory=bytearray)
    """The first ciphertext, up to BANNER_LIMIT."""
    received: int = 0
    ended: Handshake | None = None
    suspected: bool = False
    """The peer ended the connection without a word where it could have been our empty certificate's fault."""
    nothing: Outcome = Outcome.SILENT
    """What it means that no byte came until the deadline."""
    error: str | None = None

    def take(self, data: bytes, now_us: int) -> None:
        """Keep the first ciphertext, count all."""
        self.first_us = now_us if self.first_us is None else self.first_us
        self.first += data[: BANNER_LIMIT - len(self.first)]
        self.received += len(data)

    def foreign(self) -> bool:
        """Whether the peer's first bytes are no TLS record."""
        return self.first[0] not in RECORD_TYPES or self.first[1:2] not in (b"", RECORD_MAJOR)

    def failure(self, reason: str | None = None) -> Handshake:
        """Tell why a handshake failed: by the peer's alert, after which OpenSSL sends none, or by OpenSSL's reason."""
        heard = None if self.witness.our_alert is not None else self.witness.alert
        if heard == alert.PROTOCOL_VERSION or reason in VERSION_REASONS:
            return Handshake.REFUSED_VERSION
        if heard is None:
            return Handshake.MALFORMED
        return Handshake.NEEDS_CLIENT_CERTIFICATE if self.unwelcome() else Handshake.ALERT

    def unwelcome(self) -> bool:
        """Whether the peer's alert is about the certificate that we do not have."""
        return self.witness.declined and self.witness.alert in alert.ABOUT_CERTIFICATE

    def demand(self) -> ClientCertificate:
        """Whether the peer wants a certificate of ours."""
        refused = self.ended is Handshake.NEEDS_CLIENT_CERTIFICATE and not self.suspected
        if refused or self.witness.alert == alert.CERTIFICATE_REQUIRED:
            return ClientCertificate.REQUIRED
        if self.suspected:
            return ClientCertificate.SUSPECTED
        return ClientCertificate.REQUESTED if self.witness.requested else ClientCertificate.NOT_REQUESTED

    def facts(self, started_at: int) -> TlsFacts:
        """The columns of `tls`; `started_at` is the moment at which the leaf's validity is judged."""
        witness = self.witness
        cipher = witness.cipher()
        ders = list(from_message(witness.certificate or b"", extended=witness.certificate_version == TLS_1_3))
        chain = read_chain(ders)
        return TlsFacts(
            handshake=self.ended or Handshake.DEADLINE,
            client_certificate=self.demand(),
            hello_us=self.hello_us or 0,
            first_record_us=self.first_us,
            handshake_us=self.completed_us,
            version=VERSIONS.get(witness.version_seen),
            cipher=cipher[0] if cipher else None,
            alert=witness.alert,
            alert_name=alert.name(witness.alert),
            alert_after_handshake=None if witness.alert is None else self.completed_us is not None,
            our_alert=witness.our_alert,
            tls_error=self.error,
            received_bytes=self.received,
            certificate_count=len(ders),
            valid_at_visit=_valid(chain[0], started_at) if chain else None,
            chain=chain,
        )

    def without_association(self, visit: Visit, request: bytes) -> Visit:
        """Judge a visit whose request never left, by the first ciphertext."""
        if not self.received:
            return replace(visit, outcome=SPEECHLESS.get(self.ended, self.nothing))
        raw = bytes(self.first)
        begins = opening(raw, request, complete=True)
        visit = replace(
            visit,
            outcome=NON_DICOM_OUTCOMES.get(begins, Outcome.MALFORMED),
            raw=raw,
            raw_length=self.received,
            first_byte_us=self.first_us,
            guess=guess(raw),
        )
        return _like_dicom(visit) if begins is Opening.DICOM else visit


def _valid(leaf: Certificate, moment: int) -> bool | None:
    """Whether a certificate's validity covers a moment (µs since the epoch); None if its dates cannot be read."""
    if leaf.not_before is None or leaf.not_after is None:
        return None
    return leaf.not_before <= moment <= leaf.not_after


def _like_dicom(visit: Visit) -> Visit:
    """Judge a plain reply that begins like DICOM: an A-ABORT is what a service without TLS has for a hello."""
    whole = frame(visit.raw)
    pdu = None if whole is None or isinstance(whole, Malformed) else decode(whole)
    abort = of_abort(pdu) if isinstance(pdu, Abort) else None
    outcome = Outcome.ABORTED if abort else visit.outcome
    return replace(visit, like_dicom=True, guess=None, outcome=outcome, grade=grade(outcome, []), **(abort or {}))
