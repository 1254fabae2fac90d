"""Decode what a peer sends (PS3.8 §9.3), whatever it sends.

The decoder is total and bounded: any bytes give a value, never an exception, and nothing is allocated because a
length field claims it. Where the layout breaks, `Accept.fault` or `Malformed.reason` says where; what is only odd
becomes a warning. Integers are big-endian (PS3.8 §9.3.1), but those of a command set little-endian (PS3.7 §6.3.1).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from pipeline.record import RAW_LIMIT, PresentationContext

#: Version of this decoder, kept in each row: raise it when the same bytes would give other fields.
PARSER_VERSION = 1

#: Type, reserved, length (PS3.8 §9.3.1).
HEADER = 6
#: What a PDU may claim before it is malformed: more than this is never kept (DESIGN §7).
LENGTH_LIMIT = RAW_LIMIT - HEADER
#: Type, reserved, length of an item (PS3.8 §9.3.2).
ITEM_HEADER = 4
#: Where the items of an A-ASSOCIATE-AC begin: version, reserved, two AE titles, 32 reserved (PS3.8 Table 9-17).
ITEMS_AT = 68
#: Length of an A-ASSOCIATE-RJ, A-RELEASE and A-ABORT PDU (PS3.8 §9.3.4, §9.3.6 to §9.3.8).
SHORT_LENGTH = 4
#: A UID has at most 64 characters (PS3.5 §9.1), a version name 16 (PS3.7 §D.3.3.2.3); more is a warning.
UID_LIMIT, NAME_LIMIT = 64, 16
#: What is kept of a text that exceeds its limit; `raw` has all of it.
TEXT_KEPT = 128
#: A hostile reply could earn thousands of warnings.
WARNINGS_KEPT = 32


class PduType(IntEnum):
    """PDU types (PS3.8 §9.3.2 to §9.3.8)."""

    ASSOCIATE_RQ = 0x01
    ASSOCIATE_AC = 0x02
    ASSOCIATE_RJ = 0x03
    DATA = 0x04
    RELEASE_RQ = 0x05
    RELEASE_RP = 0x06
    ABORT = 0x07


class ItemType(IntEnum):
    """Items and sub-items that we read (PS3.8 §9.3.3, PS3.7 §D.3.3)."""

    APPLICATION_CONTEXT = 0x10
    CONTEXT_AC = 0x21
    TRANSFER_SYNTAX = 0x40
    USER_INFORMATION = 0x50
    MAX_PDU = 0x51
    CLASS_UID = 0x52
    VERSION_NAME = 0x55


@dataclass(frozen=True, slots=True)
class Frame:
    """A whole PDU as cut out of the stream; `size` counts its header too."""

    type: int
    body: bytes

    @property
    def size(self) -> int:
        """How many bytes of the stream the PDU takes."""
        return HEADER + len(self.body)


@dataclass(frozen=True, slots=True)
class Malformed:
    """Bytes that are no PDU as PS3.8 §9.3 lays it out."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept:
    """An A-ASSOCIATE-AC (PS3.8 §9.3.3). `fault` says where its layout breaks; the fields before that place stand."""

    protocol_version: int
    called_ae: bytes
    calling_ae: bytes
    application_context: str | None
    contexts: tuple[PresentationContext, ...]
    max_pdu: int | None
    implementation_class_uid: str | None
    implementation_version_name: str | None
    item_order: tuple[int, ...]
    warnings: tuple[str, ...]
    fault: str | None


@dataclass(frozen=True, slots=True)
class Reject:
    """An A-ASSOCIATE-RJ (PS3.8 §9.3.4), its three bytes as sent."""

    result: int
    source: int
    reason: int


@dataclass(frozen=True, slots=True)
class Abort:
    """An A-ABORT (PS3.8 §9.3.8), its two bytes as sent."""

    source: int
    reason: int


@dataclass(frozen=True, slots=True)
class Fragment:
    """A presentation data value (PS3.8 §9.3.5.1, Annex E.2)."""

    context_id: int
    is_command: bool
    is_last: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Data:
    """A P-DATA-TF (PS3.8 §9.3.5)."""

    fragments: tuple[Fragment, ...]


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """An A-RELEASE-RQ (PS3.8 §9.3.6)."""


@dataclass(frozen=True, slots=True)
class ReleaseReply:
    """An A-RELEASE-RP (PS3.8 §9.3.7)."""


@dataclass(frozen=True, slots=True)
class EchoReply:
    """A C-ECHO-RSP (PS3.7 §9.3.5.2)."""

    status: int
    message_id: int | None


Pdu = Accept | Reject | Abort | Data | ReleaseRequest | ReleaseReply | Malformed


def frame(buffer: bytes) -> Frame | Malformed | None:
    """Cut the first PDU out of the stream; None while it is not complete, malformed when it never could be kept."""
    if len(buffer) < HEADER:
        return None
    length = int.from_bytes(buffer[2:HEADER])
    fault = _length_fault(buffer[0], length)
    if fault is not None:
        return Malformed(fault)
    if len(buffer) < HEADER + length:
        return None
    return Frame(buffer[0], bytes(buffer[HEADER : HEADER + length]))


def decode(whole: Frame) -> Pdu:
    """Read the fields of a PDU."""
    reader = _READERS.get(whole.type)
    if reader is None:
        return Malformed(f"PDU type {whole.type:02X}H is not one that a peer may answer with")
    fault = _length_fault(whole.type, len(whole.body))
    return reader(whole.body) if fault is None else Malformed(fault)


def decode_echo(command: bytes) -> EchoReply | Malformed:
    """Read a command set that should be a C-ECHO-RSP (PS3.7 Table 9.3-13, Implicit VR Little Endian)."""
    elements: dict[int, bytes] = {}
    for tag, value in _elements(command):
        elements.setdefault(tag, value)
    field, status = _u16(elements.get(_COMMAND_FIELD)), _u16(elements.get(_STATUS))
    if field != _C_ECHO_RSP:
        return Malformed("command set: no C-ECHO-RSP" if field is None else f"command field {field:04X}H, not 8030H")
    if status is None:
        return Malformed("C-ECHO-RSP without a status")
    return EchoReply(status, _u16(elements.get(_MESSAGE_ID_RESPONDED_TO)))


# --- lengths ---------------------------------------------------------------------------------------------------------


def _length_fault(pdu_type: int, length: int) -> str | None:
    """Say what is wrong with the length of a PDU of this type."""
    if pdu_type in _SHORT and length != SHORT_LENGTH:
        return f"PDU type {pdu_type:02X}H of length {length}, must be {SHORT_LENGTH}"
    if pdu_type == PduType.ASSOCIATE_AC and length < ITEMS_AT:
        return f"A-ASSOCIATE-AC of length {length}, needs {ITEMS_AT}"
    if length > LENGTH_LIMIT:
        return f"PDU type {pdu_type:02X}H claims {length} bytes, more than {LENGTH_LIMIT}"
    return None


# --- A-ASSOCIATE-AC --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Item:
    type: int
    value: bytes


@dataclass(frozen=True, slots=True)
class _Broken:
    """The place where a list of items stops being one."""

    reason: str


def _read_accept(body: bytes) -> Accept:
    """Read an A-ASSOCIATE-AC; its body holds at least the fixed fields (PS3.8 Table 9-17)."""
    parts = list(_items(body[ITEMS_AT:], "A-ASSOCIATE-AC"))
    inner = [part for item in parts for part in _inside(item)]
    faults = [part.reason for part in (*parts, *inner) if isinstance(part, _Broken)]
    user = [part for part in inner if isinstance(part, _Item)]
    contexts = [context for item in parts if (context := _context(item))]
    warnings = list(_warnings(parts, user, contexts))
    return Accept(
        protocol_version=int.from_bytes(body[0:2]),
        called_ae=body[4:20],
        calling_ae=body[20:36],
        application_context=_text(_first(parts, ItemType.APPLICATION_CONTEXT)),
        contexts=tuple(contexts),
        max_pdu=_u32(_first(user, ItemType.MAX_PDU)),
        implementation_class_uid=_text(_first(user, ItemType.CLASS_UID)),
        implementation_version_name=_text(_first(user, ItemType.VERSION_NAME)),
        item_order=tuple(_order(parts)),
        warnings=tuple(warnings[:WARNINGS_KEPT]),
        fault=next(iter(faults), None),
    )


def _items(data: bytes, holder: str) -> Iterator[_Item | _Broken]:
    """Walk items (PS3.8 §9.3.2): type, reserved, length, value; stop where the layout breaks."""
    at = 0
    while at < len(data):
        begin = at + ITEM_HEADER
        end = begin + int.from_bytes(data[at + 2 : begin])
        if begin > len(data) or end > len(data):
            yield _Broken(f"{holder}: item {data[at]:02X}H does not fit")
            return
        yield _Item(data[at], data[begin:end])
        at = end


def _inside(item: _Item | _Broken) -> Iterator[_Item | _Broken]:
    """Walk the sub-items of the user information; of a presentation context, only where its layout breaks."""
    match item:
        case _Item(ItemType.USER_INFORMATION, value):
            yield from _items(value, "user information")
        case _Item(ItemType.CONTEXT_AC, value) if len(value) < ITEM_HEADER:
            yield _Broken(f"presentation context of {len(value)} bytes, needs {ITEM_HEADER}")
        case _Item(ItemType.CONTEXT_AC, value):
            parts = _items(value[ITEM_HEADER:], f"presentation context {value[0]}")
            yield from (part for part in parts if isinstance(part, _Broken))


def _context(item: _Item | _Broken) -> PresentationContext | None:
    """Read a presentation context: id, reserved, result, reserved, one transfer syntax (PS3.8 §9.3.3.2)."""
    if isinstance(item, _Broken) or item.type != ItemType.CONTEXT_AC or len(item.value) < ITEM_HEADER:
        return None
    syntaxes = list(_items(item.value[ITEM_HEADER:], ""))
    return PresentationContext(item.value[0], item.value[2], _text(_first(syntaxes, ItemType.TRANSFER_SYNTAX)) or "")


def _order(parts: list[_Item | _Broken]) -> Iterator[int]:
    """Types of items and of user-information sub-items, in the peer's order."""
    for item in parts:
        if isinstance(item, _Item):
            yield item.type
        if isinstance(item, _Item) and item.type == ItemType.USER_INFORMATION:
            yield from (part.type for part in _inside(item) if isinstance(part, _Item))


def _first(parts: list[_Item] | list[_Item | _Broken], wanted: ItemType) -> bytes | None:
    """The value of the first item of a type."""
    return next((item.value for item in parts if isinstance(item, _Item) and item.type == wanted), None)


# --- warnings --------------------------------------------------------------------------------------------------------


def _warnings(parts: list[_Item | _Broken], user: list[_Item], contexts: list[PresentationContext]) -> Iterator[str]:
    """Say what is odd in an A-ASSOCIATE-AC, in the order of its bytes, then what is missing."""
    for item in parts:
        yield from _odd(item, _TOP_LEVEL)
        if isinstance(item, _Item) and item.type == ItemType.CONTEXT_AC:
            yield from _odd_context(item)
        for part in _inside(item):
            yield from _odd(part, _USER_LEVEL)
    yield from (f"context id {context.id} is even" for context in contexts if context.id % 2 == 0)
    types = [item.type for item in (*parts, *user) if isinstance(item, _Item)]
    yield from (f"item {kind:02X}H is missing" for kind in _MANDATORY if kind not in types)
    yield from (f"item {kind:02X}H comes {types.count(kind)} times" for kind in _UNIQUE if types.count(kind) > 1)


def _odd(item: _Item | _Broken, known: frozenset[int]) -> Iterator[str]:
    """Say what is odd about one item."""
    if isinstance(item, _Broken):
        yield item.reason
        return
    if item.type not in known:
        yield f"item {item.type:02X}H is not expected here"
    if item.type == ItemType.MAX_PDU and len(item.value) != 4:
        yield f"item 51H has {len(item.value)} bytes, must be 4"
    limit = _TEXT_LIMITS.get(item.type)
    if limit is not None:
        yield from _odd_text(item, limit)


def _odd_context(item: _Item) -> Iterator[str]:
    """Say what is odd about the transfer syntaxes of a presentation context (PS3.8 §9.3.3.2: exactly one)."""
    syntaxes = [part for part in _items(item.value[ITEM_HEADER:], "") if isinstance(part, _Item)]
    if len(syntaxes) > 1:
        yield f"presentation context with {len(syntaxes)} sub-items, must be 1"
    for part in syntaxes:
        yield from _odd(part, frozenset({ItemType.TRANSFER_SYNTAX}))


def _odd_text(item: _Item, limit: int) -> Iterator[str]:
    """Say what is odd about a text: too long, padded, or not printable ASCII."""
    if len(item.value) > limit:
        yield f"item {item.type:02X}H has {len(item.value)} bytes, more than {limit}"
    text = item.value.rstrip(_PADDING)
    if text != item.value:
        yield f"item {item.type:02X}H is padded"
    if not all(_is_printable(byte) for byte in text):
        yield f"item {item.type:02X}H is not printable ASCII"


# --- the other PDUs --------------------------------------------------------------------------------------------------


def _read_reject(body: bytes) -> Reject:
    """Read reserved, result, source, reason (PS3.8 §9.3.4)."""
    return Reject(body[1], body[2], body[3])


def _read_abort(body: bytes) -> Abort:
    """Read reserved, reserved, source, reason (PS3.8 §9.3.8)."""
    return Abort(body[2], body[3])


def _read_release_request(_body: bytes) -> ReleaseRequest:
    """Four reserved bytes, not to be tested (PS3.8 §9.3.6)."""
    return ReleaseRequest()


def _read_release_reply(_body: bytes) -> ReleaseReply:
    """Four reserved bytes, not to be tested (PS3.8 §9.3.7)."""
    return ReleaseReply()


def _read_data(body: bytes) -> Data | Malformed:
    """Read presentation data values: length, context id, control byte, data (PS3.8 §9.3.5.1, Annex E.2)."""
    fragments: list[Fragment] = []
    at = 0
    while at < len(body):
        begin = at + 4
        end = begin + int.from_bytes(body[at:begin])
        if end < begin + 2 or end > len(body):
            return Malformed("P-DATA-TF: a presentation data value does not fit")
        control = body[begin + 1]
        fragments.append(Fragment(body[begin], bool(control & 1), bool(control & 2), body[begin + 2 : end]))
        at = end
    return Data(tuple(fragments)) if fragments else Malformed("P-DATA-TF without a presentation data value")


def _elements(command: bytes) -> Iterator[tuple[int, bytes]]:
    """Walk the elements of a command set: tag, u32 length, value; stop where the layout breaks (PS3.5 §7.1.3)."""
    at = 0
    while at + 8 <= len(command):
        group = int.from_bytes(command[at : at + 2], "little")
        element = int.from_bytes(command[at + 2 : at + 4], "little")
        end = at + 8 + int.from_bytes(command[at + 4 : at + 8], "little")
        if end > len(command):
            return
        yield group << 16 | element, command[at + 8 : end]
        at = end


# --- values ----------------------------------------------------------------------------------------------------------


def _u16(value: bytes | None) -> int | None:
    """A little-endian u16 of a command set."""
    return int.from_bytes(value, "little") if value is not None and len(value) == 2 else None


def _u32(value: bytes | None) -> int | None:
    """A big-endian u32 of an item."""
    return int.from_bytes(value) if value is not None and len(value) == 4 else None


def _text(value: bytes | None) -> str | None:
    """Text without trailing padding; what is not printable ASCII becomes U+FFFD, so that no terminal acts on it."""
    if value is None:
        return None
    return "".join(chr(byte) if _is_printable(byte) else "\ufffd" for byte in value.rstrip(_PADDING)[:TEXT_KEPT])


def _is_printable(byte: int) -> bool:
    """The characters that a UID or a version name may hold (ISO 646 basic set)."""
    return 0x20 <= byte <= 0x7E


_PADDING = b"\0 "
_SHORT = frozenset({PduType.ASSOCIATE_RJ, PduType.RELEASE_RQ, PduType.RELEASE_RP, PduType.ABORT})
_TOP_LEVEL = frozenset({ItemType.APPLICATION_CONTEXT, ItemType.CONTEXT_AC, ItemType.USER_INFORMATION})
#: Sub-items of the user information that PS3.7 §D.3.3 lets an acceptor send.
_USER_LEVEL = frozenset({ItemType.MAX_PDU, ItemType.CLASS_UID, ItemType.VERSION_NAME, 0x53, 0x54, 0x56, 0x59})
_MANDATORY = (
    ItemType.APPLICATION_CONTEXT,
    ItemType.CONTEXT_AC,
    ItemType.USER_INFORMATION,
    ItemType.MAX_PDU,
    ItemType.CLASS_UID,
)
_UNIQUE = (
    ItemType.APPLICATION_CONTEXT,
    ItemType.USER_INFORMATION,
    ItemType.MAX_PDU,
    ItemType.CLASS_UID,
    ItemType.VERSION_NAME,
)
_TEXT_LIMITS: dict[int, int] = {
    ItemType.APPLICATION_CONTEXT: UID_LIMIT,
    ItemType.TRANSFER_SYNTAX: UID_LIMIT,
    ItemType.CLASS_UID: UID_LIMIT,
    ItemType.VERSION_NAME: NAME_LIMIT,
}

#: Elements of a command set (PS3.7 Annex E.1).
_COMMAND_FIELD, _MESSAGE_ID_RESPONDED_TO, _STATUS = 0x0000_0100, 0x0000_0120, 0x0000_0900
_C_ECHO_RSP = 0x8030

_READERS: dict[int, Callable[[bytes], Pdu]] = {
    PduType.ASSOCIATE_AC: _read_accept,
    PduType.ASSOCIATE_RJ: _read_reject,
    PduType.DATA: _read_data,
    PduType.RELEASE_RQ: _read_release_request,
    PduType.RELEASE_RP: _read_release_reply,
    PduType.ABORT: _read_abort,
}
