"""Seeds: replies of real products, and a vector for each PDU and sub-item of the standard."""

import json

from fuzz.conversation import OUTGOING, encode_conversation
from fuzz.flow import encode_segments
from pipeline.testbed.hostile import TLS_SERVER_HELLO
from pipeline.wire.packet import SNAP
from tests.associate.authority import issue
from tests.wire.rows import FIXTURES, received
from tests.wire.vectors import (
    COMMON,
    DATA,
    ECHO_RSP,
    EXTENDED,
    IDENTITY,
    RELEASE_RP,
    RESPONSE,
    ROLE,
    USER,
    VALID,
    WINDOW,
)

__all__ = [
    "OUTGOING",
    "bodies",
    "certificates",
    "commands",
    "conversations",
    "data",
    "flows",
    "hellos",
    "items",
    "packets",
    "plans",
    "short",
    "streams",
    "texts",
    "users",
]

#: Replies that are not DICOM: HTTP, a TLS alert, a remote desktop, our own request.
NOT_DICOM = (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\3\1\0\2\2\x28", b"\3\0\0\x13\x0e\xd0\0\0", OUTGOING.request)


def streams() -> list[bytes]:
    """Streams of a peer."""
    return [*VALID, *NOT_DICOM, b"".join(VALID[:4])]


def bodies() -> list[bytes]:
    """Bodies of A-ASSOCIATE PDUs."""
    return [pdu[6:] for pdu in VALID if pdu[0] in (1, 2)]


def users() -> list[bytes]:
    """Sub-items, and the values of sub-items."""
    parts = (WINDOW, ROLE, EXTENDED, COMMON, IDENTITY, RESPONSE)
    return [USER[4:], b"".join(parts), *(part[4:] for part in parts)]


def items() -> list[bytes]:
    """Items one after the other."""
    return [body[68:] for body in bodies()]


def texts() -> list[bytes]:
    """UIDs and version names."""
    return [b"1.2.840.10008.1.2.1", b"OFFIS_DCMTK_367", b"1.2\0", b"NAME  "]


def data() -> list[bytes]:
    """Bodies of P-DATA-TF."""
    return [pdu[6:] for pdu in VALID if pdu[0] == 4]


def commands() -> list[bytes]:
    """Command sets."""
    return [ECHO_RSP, *(body[6:] for body in data())]


def short() -> list[bytes]:
    """Bodies of four bytes."""
    return [pdu[6:] for pdu in VALID if len(pdu) == 10]


def plans() -> list[bytes]:
    """The templates as in a plan."""
    return [json.dumps(OUTGOING.to_json()).encode()]


def packets() -> list[bytes]:
    """Received frames: a SYN-ACK, and an ICMP unreachable that quotes a SYN."""
    syn_ack = bytes.fromhex(
        "4500002c0000400040060000 0a000001 0a000002 00684000 00000001 00000002 6012ffff 00000000 020405b4"
    )
    icmp = bytes.fromhex("45000038000000004001 0000 0a000003 0a000002 0301000000000000")
    quoted = bytes.fromhex("4500002c0000400040060000 0a000002 0a000001 40000068 00000001")
    return [syn_ack.ljust(SNAP, b"\0") + b"\x2c", (icmp + quoted).ljust(SNAP, b"\0") + b"\x38"]


def certificates() -> list[bytes]:
    """A certificate, and a Certificate message of TLS 1.2 that contains it (RFC 5246 §7.4.2)."""
    der = issue("pacs.example.test").der
    listed = len(der).to_bytes(3, "big") + der
    return [der, len(listed).to_bytes(3, "big") + listed]


def hellos() -> list[bytes]:
    """A byte for the connection's end, a byte for the size of pieces, and a server's first flight."""
    return [bytes((end, 255)) + TLS_SERVER_HELLO for end in range(3)]


def flows() -> list[bytes]:
    """Segments of an acceptance, a C-ECHO response and a release, in and out of order, and of replies that are not DICOM."""
    accept = next(pdu for pdu in VALID if pdu[0] == 2)
    whole = (accept, DATA, RELEASE_RP)
    late = encode_segments(accept[60:], ahead=60) + encode_segments(accept[:60])
    return [encode_segments(*whole), late, *(encode_segments(reply) for reply in NOT_DICOM)]


def conversations() -> list[bytes]:
    """Conversations: those of real products, and replies that are not DICOM."""
    with_answers = {tuple(received(fixture)) for fixture in FIXTURES} - {()}
    conversations = [encode_conversation(*segments) for segments in sorted(with_answers)]
    released = [encode_conversation(pdu, RELEASE_RP, echo=False) for pdu in VALID if pdu[0] == 2]
    mirrored = [encode_conversation(b"\2" + OUTGOING.request[1:], end=0xFC)]
    return [*conversations, *released, *mirrored, *(encode_conversation(reply, end=0xFC) for reply in NOT_DICOM)]
