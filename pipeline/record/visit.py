"""A visit and its parts, as processes pass them to each other. Field names are the column names of `schemas/`."""

import hashlib
from typing import Any

import msgspec

from pipeline.outcome import ClientCertificate, CloseKind, CloseStage, Grade, Handshake, Outcome

#: How many bytes are kept of a DICOM-like reply, and of any other (docs/wire.md).
RAW_LIMIT = 16 * 1024
BANNER_LIMIT = 256


class PresentationContext(msgspec.Struct, frozen=True):
    """A presentation context as an A-ASSOCIATE-AC answers it (PS3.8 §9.3.3.2)."""

    id: int
    result: int
    transfer_syntax: str


class NegotiatedContext(msgspec.Struct, frozen=True):
    """A presentation context as answered, with the abstract syntax that we proposed in it; None if we did not propose it."""

    id: int
    abstract_syntax: str | None
    result: int
    transfer_syntax: str


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of an X.509 certificate (RFC 5280); None if a field is absent or cannot be read."""

    sha256: str
    size: int
    spki_sha256: str | None = None
    subject: str | None = None
    issuer: str | None = None
    subject_organization: str | None = None
    issuer_organization: str | None = None
    san: tuple[str, ...] = ()
    san_count: int = 0
    not_before: int | None = None
    """µs since the epoch, UTC"""
    not_after: int | None = None
    key_type: str | None = None
    key_bits: int | None = None
    signature_algorithm: str | None = None
    is_ca: bool | None = None
    self_issued: bool | None = None
    self_signed: bool | None = None
    signed_by_next: bool | None = None
    warnings: tuple[str, ...] = ()


class TlsFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One TLS handshake. Times ending in `_us` are microseconds since the visit's `started_at`."""

    handshake: Handshake
    client_certificate: ClientCertificate
    hello_us: int | None = None
    first_record_us: int | None = None
    handshake_us: int | None = None
    version: str | None = None
    cipher: str | None = None
    alert: int | None = None
    alert_name: str | None = None
    alert_after_handshake: bool | None = None
    our_alert: int | None = None
    tls_error: str | None = None
    received_bytes: int = 0
    certificate_count: int = 0
    valid_at_visit: bool | None = None
    chain: tuple[Certificate, ...] = ()


class Role(msgspec.Struct, frozen=True):
    """SCP/SCU role selection: the two role bytes as sent, 0 or 1 in the standard (PS3.7 §D.3.3.4)."""

    sop_class_uid: str
    scu: int
    scp: int


class ExtendedNegotiation(msgspec.Struct, frozen=True):
    """SOP class extended negotiation (PS3.7 §D.3.3.5)."""

    sop_class_uid: str
    information: bytes


class UnknownItem(msgspec.Struct, frozen=True):
    """Type and length of an item that the standard does not define."""

    type: int
    length: int


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One finished conversation. Times ending in `_us` are microseconds since `started_at` (µs since the epoch, UTC)."""

    ip: int
    port: int
    started_at: int
    outcome: Outcome
    close_kind: CloseKind
    close_stage: CloseStage
    like_dicom: bool
    """The reply began with PDU type 02, 03 or 07 and is not of another known protocol: it gets a row in `associations`."""
    grade: Grade | None = None
    error: str | None = None
    """Name of the errno (POSIX) with which the connection failed or broke."""
    connect_us: int | None = None
    request_us: int | None = None
    first_byte_us: int | None = None
    answer_us: int | None = None
    echo_us: int | None = None
    release_us: int | None = None
    closed_us: int = 0
    protocol_version: int | None = None
    called_ae_echoed: bool | None = None
    calling_ae_echoed: bool | None = None
    called_ae_raw: bytes | None = None
    calling_ae_raw: bytes | None = None
    """The called AE title as answered, if it differs from ours."""
    application_context: str | None = None
    contexts: tuple[NegotiatedContext, ...] | None = None
    contexts_in_order: bool | None = None
    max_pdu: int | None = None
    implementation_class_uid: str | None = None
    implementation_version_name: str | None = None
    async_invoked: int | None = None
    async_performed: int | None = None
    roles: tuple[Role, ...] | None = None
    extended_negotiation: tuple[ExtendedNegotiation, ...] | None = None
    user_identity_response: bytes | None = None
    item_order: tuple[int, ...] | None = None
    unknown_items: tuple[UnknownItem, ...] | None = None
    rj_result: int | None = None
    rj_source: int | None = None
    rj_reason: int | None = None
    abort_source: int | None = None
    abort_reason: int | None = None
    echo_sent: bool = False
    echo_status: int | None = None
    echo_elements: tuple[int, ...] | None = None
    """Numbers of the elements of the C-ECHO response's command set, in the peer's order."""
    released: bool = False
    pdu_types: tuple[int, ...] = ()
    raw: bytes = b""
    raw_length: int = 0
    bytes_sent: int = 0
    parser_version: int = 0
    parse_warnings: tuple[str, ...] = ()
    guess: str | None = None
    """Protocol that a reply which is not DICOM looks like."""
    syn_retransmits: int = 0
    tls: TlsFacts | None = None
    """The handshake, if the conversation was to use TLS."""
    rtt_us: int | None = None
    """The kernel's smoothed round-trip time when the conversation ended, or that of our SYN."""


def columns(visit: Visit) -> dict[str, Any]:
    """Convert a visit to columns of `responses`, `associations` and `banners`."""
    row: dict[str, Any] = msgspec.to_builtins(visit, builtin_types=(bytes,))
    row |= row["tls"] or {}
    row |= {"raw_truncated": visit.raw_length > len(visit.raw), "raw_sha256": hashlib.sha256(visit.raw).digest()}
    shown = b"" if visit.like_dicom else visit.raw[:BANNER_LIMIT]
    row["bytes"] = shown
    row["banner"] = banner(shown)
    return row


def banner(shown: bytes) -> int | None:
    """Return the key of a reply in the table `banners`; None for an empty one."""
    return int.from_bytes(hashlib.sha256(shown).digest()[:8], "big") if shown else None
