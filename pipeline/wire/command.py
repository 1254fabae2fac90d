"""The command set of a C-ECHO-RSP (PS3.7 §6.3, §9.3.5.2, Annex E), in Implicit VR Little Endian."""

import struct

from pipeline.record.visit import RAW_LIMIT
from pipeline.wire.fields import EchoReply, Malformed
from pipeline.wire.text import uid
from pipeline.wire.warning import ParseWarning, Warnings, distinct

#: Group, element, length (PS3.5 §7.1.3).
_element = struct.Struct("<HHL").unpack_from
ELEMENT_HEADER = 8
#: The Verification SOP Class (PS3.4 Annex A), to which a C-ECHO belongs.
_VERIFICATION = "1.2.840.10008.1.1"
#: Command fields (PS3.7 Table E.1-1).
C_ECHO_RQ, C_ECHO_RSP = 0x0030, 0x8030
#: Command Data Set Type: no data set follows (PS3.7 Table E.1-1).
NO_DATA_SET = 0x0101

#: Elements of group 0000 in a C-ECHO-RSP (PS3.7 Table 9.3-13): number → name.
ELEMENTS = {
    0x0000: "Command Group Length",
    0x0002: "Affected SOP Class UID",
    0x0100: "Command Field",
    0x0120: "Message ID Being Responded To",
    0x0800: "Command Data Set Type",
    0x0900: "Status",
}
_GROUP_LENGTH, _SOP_CLASS, _COMMAND_FIELD, _MESSAGE_ID, _DATA_SET_TYPE, _STATUS = ELEMENTS
#: Lengths of the elements of a fixed size: UL and US (PS3.5 §6.2).
_SIZES = {_GROUP_LENGTH: 4, _COMMAND_FIELD: 2, _MESSAGE_ID: 2, _DATA_SET_TYPE: 2, _STATUS: 2}


#: The layout that nearly all products send: group length, SOP class and command field with fixed values, the message id,
#: no data set, the status; each element with its group, number and length.
_ordinary = struct.Struct("<56sH18sH")
_BEFORE_ID = (
    struct.pack("<HHLL", 0, _GROUP_LENGTH, 4, _ordinary.size - ELEMENT_HEADER - 4)
    + struct.pack("<HHL18s", 0, _SOP_CLASS, 18, _VERIFICATION.encode())
    + struct.pack("<HHLH", 0, _COMMAND_FIELD, 2, C_ECHO_RSP)
    + struct.pack("<HHL", 0, _MESSAGE_ID, 2)
)
_BEFORE_STATUS = struct.pack("<HHLH", 0, _DATA_SET_TYPE, 2, NO_DATA_SET) + struct.pack("<HHL", 0, _STATUS, 2)
_ALL = tuple(ELEMENTS)


def decode_echo(command: bytes) -> EchoReply | Malformed:
    """Read a command set that should be a C-ECHO-RSP. Never raises."""
    return read_ordinary_echo(command) or read_echo(command)


def read_ordinary_echo(command: bytes) -> EchoReply | None:
    """Read a C-ECHO-RSP of exactly the ordinary layout; None for any other. A test compares it with `read_echo`."""
    if len(command) != _ordinary.size:
        return None
    before_id, message_id, before_status, status = _ordinary.unpack(command)
    if before_id != _BEFORE_ID or before_status != _BEFORE_STATUS:
        return None
    return EchoReply(status, message_id, _VERIFICATION, _ALL)


def read_echo(command: bytes) -> EchoReply | Malformed:
    """Read a command set element by element."""
    if len(command) > RAW_LIMIT:
        return Malformed(ParseWarning.COMMAND_OVER_LIMIT)
    elements, element_warnings = _elements(command)
    values: dict[int, bytes] = {}
    for number, value in elements:
        values.setdefault(number, value)
    status = _number(values, _STATUS)
    if _number(values, _COMMAND_FIELD) != C_ECHO_RSP:
        return Malformed(ParseWarning.COMMAND_OTHER)
    if status is None:
        return Malformed(ParseWarning.STATUS_MISSING)
    sop_class, uid_warnings = _sop_class(values.get(_SOP_CLASS))
    return EchoReply(
        status,
        _number(values, _MESSAGE_ID),
        sop_class,
        tuple(number for number, _ in elements),
        warnings=distinct(*element_warnings, *uid_warnings, *_value_warnings(values, len(command))),
    )


def command_field(command: bytes) -> int | None:
    """The command field of a sound command set that announces no data set; None for any other."""
    elements, element_warnings = _elements(command)
    values = dict(elements)
    announced = _number(values, _DATA_SET_TYPE) != NO_DATA_SET
    return None if element_warnings or announced else _number(values, _COMMAND_FIELD)


def _elements(command: bytes) -> tuple[list[tuple[int, bytes]], list[ParseWarning]]:
    """Read the elements of group 0000 up to one that does not fit: (number, value) pairs, and warnings."""
    elements: list[tuple[int, bytes]] = []
    warnings: list[ParseWarning] = []
    at, end, before = 0, len(command), -1
    while at + ELEMENT_HEADER <= end:
        group, number, length = _element(command, at)
        begin = at + ELEMENT_HEADER
        at = begin + length
        if at > end:
            return elements, [*warnings, ParseWarning.ELEMENT_CUT]
        tag = group << 16 | number
        warnings += [] if tag > before else [ParseWarning.ELEMENT_ORDER]
        before = tag
        if group:
            warnings.append(ParseWarning.ELEMENT_GROUP)
            continue
        elements.append((number, command[begin:at]))
        warnings += [ParseWarning.ELEMENT_LENGTH] if length & 1 or _SIZES.get(number, length) != length else []
    return elements, [*warnings, *([ParseWarning.ELEMENT_CUT] if at < end else [])]


def _number(values: dict[int, bytes], number: int) -> int | None:
    """The value of an element of type UL or US; None if it is missing or has another size."""
    value = values.get(number)
    return int.from_bytes(value, "little") if value is not None and len(value) == _SIZES[number] else None


def _sop_class(value: bytes | None) -> tuple[str | None, Warnings]:
    """The affected SOP class; None if absent. One NUL may make its length even (PS3.5 §9.1)."""
    if value is None:
        return None, ()
    return uid(value[:-1] if len(value) % 2 == 0 and value.endswith(b"\0") else value)


def _value_warnings(values: dict[int, bytes], size: int) -> list[ParseWarning]:
    """Warnings about the values together."""
    follows = size - ELEMENT_HEADER - _SIZES[_GROUP_LENGTH]
    rules = (
        (_number(values, _GROUP_LENGTH) != follows, ParseWarning.GROUP_LENGTH),
        (_number(values, _MESSAGE_ID) is None, ParseWarning.MESSAGE_ID_MISSING),
        (_number(values, _DATA_SET_TYPE) != NO_DATA_SET, ParseWarning.DATA_SET_ANNOUNCED),
    )
    return [warning for applies, warning in rules if applies]
