"""The fields of PDUs as values, with the names of PS3.8 §9.3 and PS3.7 Annex D.

They are msgspec structs because creating a frozen dataclass takes longer than reading its bytes. Their bytes and texts
are parts of one PDU, so none exceeds a PDU's limit.
"""

import msgspec

from pipeline.record.visit import ExtendedNegotiation, PresentationContext, Role, UnknownItem
from pipeline.wire.warning import ParseWarning, Verdict, Warnings, first_break, verdict

__all__ = [
    "Abort",
    "Accept",
    "AsynchronousOperationsWindow",
    "CommonExtendedNegotiation",
    "Data",
    "EchoReply",
    "ExtendedNegotiation",
    "Fragment",
    "Malformed",
    "Pdu",
    "PresentationContext",
    "ProposedContext",
    "Reject",
    "ReleaseReply",
    "ReleaseRequest",
    "Request",
    "Role",
    "UnknownItem",
    "UserIdentity",
]


class WithWarnings(msgspec.Struct, frozen=True, kw_only=True):
    """A value with the warnings about its bytes."""

    warnings: Warnings = ()

    @property
    def fault(self) -> ParseWarning | None:
        """The first warning that breaks the layout, if any."""
        return first_break(self.warnings) if self.warnings else None

    @property
    def verdict(self) -> Verdict:
        """The decoder's judgement of the bytes as a whole."""
        return verdict(self.warnings)


class Malformed(msgspec.Struct, frozen=True):
    """Bytes from which no field can be read."""

    reason: ParseWarning

    @property
    def warnings(self) -> Warnings:
        """The reason alone."""
        return (self.reason,)

    @property
    def fault(self) -> ParseWarning:
        """The reason."""
        return self.reason

    @property
    def verdict(self) -> Verdict:
        """Always broken."""
        return Verdict.BROKEN


class ProposedContext(msgspec.Struct, frozen=True):
    """A presentation context proposed in an A-ASSOCIATE-RQ (PS3.8 §9.3.2.2)."""

    id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


class AsynchronousOperationsWindow(msgspec.Struct, frozen=True):
    """Maximum number of operations invoked and performed, 0 for no limit (PS3.7 §D.3.3.3)."""

    invoked: int
    performed: int


class CommonExtendedNegotiation(msgspec.Struct, frozen=True):
    """SOP class common extended negotiation (PS3.7 §D.3.3.6)."""

    sop_class_uid: str
    service_class_uid: str
    related_general_sop_class_uids: tuple[str, ...]


class UserIdentity(msgspec.Struct, frozen=True):
    """User identity negotiation of a request (PS3.7 §D.3.3.7.1)."""

    type: int
    positive_response_requested: int
    primary_field: bytes
    secondary_field: bytes


class Association(WithWarnings, frozen=True, kw_only=True):
    """The fields that A-ASSOCIATE-RQ and A-ASSOCIATE-AC have in common. AE titles are the 16 bytes as sent."""

    protocol_version: int
    called_ae: bytes
    calling_ae: bytes
    application_context: str | None = None
    max_pdu: int | None = None
    implementation_class_uid: str | None = None
    implementation_version_name: str | None = None
    asynchronous_operations_window: AsynchronousOperationsWindow | None = None
    roles: tuple[Role, ...] = ()
    extended_negotiation: tuple[ExtendedNegotiation, ...] = ()
    common_extended_negotiation: tuple[CommonExtendedNegotiation, ...] = ()
    user_identity: UserIdentity | None = None
    user_identity_response: bytes | None = None
    item_order: tuple[int, ...] = ()
    unknown_items: tuple[UnknownItem, ...] = ()


class Request(Association, frozen=True, kw_only=True):
    """An A-ASSOCIATE-RQ (PS3.8 §9.3.2)."""

    contexts: tuple[ProposedContext, ...] = ()


class Accept(Association, frozen=True, kw_only=True):
    """An A-ASSOCIATE-AC (PS3.8 §9.3.3). If the layout breaks (`fault`), the fields before that place are kept."""

    contexts: tuple[PresentationContext, ...] = ()


class Reject(WithWarnings, frozen=True):
    """An A-ASSOCIATE-RJ (PS3.8 §9.3.4), its three bytes as sent."""

    result: int
    source: int
    reason: int


class Abort(WithWarnings, frozen=True):
    """An A-ABORT (PS3.8 §9.3.8), its two bytes as sent."""

    source: int
    reason: int


class Fragment(msgspec.Struct, frozen=True):
    """A presentation data value (PS3.8 §9.3.5.1, Annex E.2)."""

    context_id: int
    is_command: bool
    is_last: bool
    data: bytes


class Data(WithWarnings, frozen=True):
    """A P-DATA-TF (PS3.8 §9.3.5)."""

    fragments: tuple[Fragment, ...]


class ReleaseRequest(WithWarnings, frozen=True):
    """An A-RELEASE-RQ (PS3.8 §9.3.6)."""


class ReleaseReply(WithWarnings, frozen=True):
    """An A-RELEASE-RP (PS3.8 §9.3.7)."""


class EchoReply(WithWarnings, frozen=True):
    """A C-ECHO-RSP (PS3.7 §9.3.5.2); `elements` are the numbers of its elements of group 0000, in the peer's order."""

    status: int
    message_id: int | None
    sop_class_uid: str | None
    elements: tuple[int, ...]


Pdu = Request | Accept | Reject | Abort | Data | ReleaseRequest | ReleaseReply | Malformed
