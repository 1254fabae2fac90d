"""Sound bytes of a peer: at least one vector for each PDU, item and sub-item, to be cut, mutated and decoded."""

import struct

from tests.wire.rows import RECEIVED


def item(kind: int, value: bytes) -> bytes:
    """Encode an item."""
    return struct.pack(">BBH", kind, 0, len(value)) + value


def counted(value: bytes) -> bytes:
    """Encode a field after its u16 length."""
    return struct.pack(">H", len(value)) + value


def pdu(kind: int, body: bytes) -> bytes:
    """Encode a PDU."""
    return struct.pack(">BBL", kind, 0, len(body)) + body


def associate(kind: int, *items: bytes, version: int = 1) -> bytes:
    """Encode an A-ASSOCIATE-RQ or -AC."""
    fixed = struct.pack(">HH16s16s32x", version, 0, b"ANY-SCP".ljust(16), b"CENSUS".ljust(16))
    return pdu(kind, fixed + b"".join(items))


def value(context: int, control: int, data: bytes) -> bytes:
    """Encode a presentation data value."""
    return struct.pack(">LBB", len(data) + 2, context, control) + data


def element(number: int, data: bytes, group: int = 0) -> bytes:
    """Encode an element of a command set."""
    return struct.pack("<HHL", group, number, len(data)) + data


def command(*elements: bytes) -> bytes:
    """Encode a command set with its group length."""
    body = b"".join(elements)
    return element(0, struct.pack("<L", len(body))) + body


SYNTAX = item(0x40, b"1.2.840.10008.1.2")
APPLICATION = item(0x10, b"1.2.840.10008.3.1.1.1")
CONTEXT = item(0x21, b"\1\0\0\0" + SYNTAX)
PROPOSED = item(0x20, b"\1\0\0\0" + item(0x30, b"1.2.840.10008.1.1") + SYNTAX)
LENGTH, CLASS_UID, NAME = item(0x51, b"\0\0\x40\0"), item(0x52, b"1.2.3"), item(0x55, b"NAME")
USER = item(0x50, LENGTH + CLASS_UID + NAME)

WINDOW = item(0x53, b"\0\1\0\2")
ROLE = item(0x54, counted(b"1.2.840.10008.5.1.4.1.1.2") + b"\0\1")
EXTENDED = item(0x56, counted(b"1.2.840.10008.5.1.4.1.2.1.1") + b"\1\1")
COMMON = item(0x57, counted(b"1.2.3") + counted(b"1.2.840.10008.4.2") + counted(counted(b"1.2.4") + counted(b"1.2.5")))
IDENTITY = item(0x58, b"\2\1" + counted(b"user") + counted(b"pass"))
RESPONSE = item(0x59, counted(b"ticket"))

ORDINARY = associate(2, APPLICATION, CONTEXT, USER)
FULL_ACCEPT = associate(
    2,
    APPLICATION,
    CONTEXT,
    item(0x21, b"\3\0\3\0" + SYNTAX),
    item(0x50, LENGTH + CLASS_UID + WINDOW + ROLE + ROLE + NAME + EXTENDED + RESPONSE),
)
FULL_REQUEST = associate(
    1, APPLICATION, PROPOSED, item(0x50, LENGTH + CLASS_UID + WINDOW + ROLE + NAME + EXTENDED + COMMON + IDENTITY)
)
REJECT = bytes.fromhex("03000000000400010107")
RELEASE_RQ, RELEASE_RP = bytes.fromhex("05000000000400000000"), bytes.fromhex("06000000000400000000")
ABORT = bytes.fromhex("07000000000400000202")

SOP_CLASS, FIELD = element(0x0002, b"1.2.840.10008.1.1\0"), element(0x0100, b"\x30\x80")
RESPONDED, NO_DATA_SET, SUCCESS = (
    element(0x0120, b"\1\0"),
    element(0x0800, b"\1\1"),
    element(0x0900, b"\0\0"),
)
ECHO_RSP = command(SOP_CLASS, FIELD, RESPONDED, NO_DATA_SET, SUCCESS)
DATA = pdu(4, value(1, 3, ECHO_RSP))
TWO_VALUES = pdu(4, value(1, 1, ECHO_RSP[:20]) + value(1, 3, ECHO_RSP[20:]))

#: Made here: one vector for each PDU and sub-item.
MADE = (ORDINARY, FULL_ACCEPT, FULL_REQUEST, REJECT, RELEASE_RQ, RELEASE_RP, ABORT, DATA, TWO_VALUES)
#: The vectors made here, and all replies of real products.
VALID = (*MADE, *RECEIVED)
