"""The values that stages hand to each other. Field names are the column names of `schemas/`."""

from dataclasses import dataclass, field

import msgspec

from pipeline.outcome import CloseKind, CloseStage, Outcome

#: How much of a DICOM-like reply is kept (DESIGN §7) and of any other (DESIGN §6).
RAW_LIMIT = 16 * 1024
BANNER_LIMIT = 256


class PresentationContext(msgspec.Struct, frozen=True):
    """A presentation context as an A-ASSOCIATE-AC answers it (PS3.8 §9.3.3.2)."""

    id: int
    result: int
    transfer_syntax: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One finished conversation. Times ending in `_us` are microseconds since `started_at` (µs since the epoch, UTC)."""

    ip: int
    port: int
    started_at: int
    outcome: Outcome
    close_kind: CloseKind
    close_stage: CloseStage
    like_dicom: bool
    """The reply began with PDU type 02, 03 or 07 and is no other known protocol: it gets a row in `associations`."""
    connect_us: int | None = None
    first_byte_us: int | None = None
    answer_us: int | None = None
    echo_us: int | None = None
    release_us: int | None = None
    closed_us: int = 0
    protocol_version: int | None = None
    called_ae_echoed: bool | None = None
    calling_ae_echoed: bool | None = None
    application_context: str | None = None
    contexts: tuple[PresentationContext, ...] | None = None
    max_pdu: int | None = None
    implementation_class_uid: str | None = None
    implementation_version_name: str | None = None
    item_order: tuple[int, ...] | None = None
    rj_result: int | None = None
    rj_source: int | None = None
    rj_reason: int | None = None
    abort_source: int | None = None
    abort_reason: int | None = None
    echo_status: int | None = None
    released: bool = False
    raw: bytes = b""
    raw_length: int = 0
    parser_version: int = 0
    parse_warnings: tuple[str, ...] = field(default=())
    guess: str | None = None
    """Protocol that a reply which is not DICOM looks like."""
    syn_retransmits: int = 0
