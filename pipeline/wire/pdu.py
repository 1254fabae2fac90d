"""Decode what a peer sends (PS3.8 §9.3), whatever it sends.

The decoder is total and bounded: any bytes give a value with its warnings and a verdict, never an exception; no more
than 16 KiB of a PDU is looked at; nothing is allocated because a length field claims it; the time grows with the bytes
that are there. Integers are big-endian (PS3.8 §9.3.1), but those of a command set little-endian (PS3.7 §6.3.1).
`docs/wire.md` says what is read, and why each limit is where it is.
"""

import struct
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

import msgspec

from pipeline.record.visit import RAW_LIMIT
from pipeline.wire.associate import FIXED, read_accept, read_request
from pipeline.wire.command import decode_echo
from pipeline.wire.data import read_data
from pipeline.wire.fields import (
    Abort,
    Accept,
    Data,
    EchoReply,
    Fragment,
    Malformed,
    Pdu,
    Reject,
    ReleaseReply,
    ReleaseRequest,
    Request,
)
from pipeline.wire.ordinary import read_ordinary
from pipeline.wire.short import read_abort, read_reject, read_release_reply, read_release_request
from pipeline.wire.warning import ParseWarning

__all__ = [
    "HEADER",
    "LENGTH_LIMIT",
    "PARSER_VERSION",
    "PDUS",
    "WARNINGS_KEPT",
    "Abort",
    "Accept",
    "Data",
    "EchoReply",
    "Fragment",
    "Frame",
    "Malformed",
    "Pdu",
    "PduType",
    "Reject",
    "ReleaseReply",
    "ReleaseRequest",
    "Request",
    "decode",
    "decode_echo",
    "frame",
]

#: Version of this decoder, kept in each row: raise it when the same bytes would give other fields.
PARSER_VERSION = 3

#: Type, reserved, length (PS3.8 §9.3.1).
HEADER = 6
_header = struct.Struct(">BxL").unpack_from
#: What a PDU may claim before it is malformed: more than this is never kept (docs/wire.md).
LENGTH_LIMIT = RAW_LIMIT - HEADER
#: Length of an A-ASSOCIATE-RJ, A-RELEASE and A-ABORT PDU (PS3.8 §9.3.4, §9.3.6 to §9.3.8).
SHORT_LENGTH = 4
#: What is kept of the warnings of a whole conversation.
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


class Frame(msgspec.Struct, frozen=True):
    """A whole PDU as cut out of the stream; `size` counts its header too."""

    type: int
    body: bytes

    @property
    def size(self) -> int:
        """How many bytes of the stream the PDU takes."""
        return HEADER + len(self.body)


class Definition(NamedTuple):
    """How the standard names a PDU, where it defines it, the lengths it can have, and what reads it."""

    name: str
    clause: str
    shortest: int
    longest: int
    read: Callable[[bytes], Pdu]


def _accept(body: bytes) -> Accept:
    """Read an A-ASSOCIATE-AC: the ordinary way, or the long way."""
    return read_ordinary(body) or read_accept(body)


#: PDU type → all that is known of it. A P-DATA-TF of length 0 is read, to say what it lacks.
PDUS: dict[int, Definition] = {
    PduType.ASSOCIATE_RQ: Definition("A-ASSOCIATE-RQ", "PS3.8 §9.3.2", FIXED.size, LENGTH_LIMIT, read_request),
    PduType.ASSOCIATE_AC: Definition("A-ASSOCIATE-AC", "PS3.8 §9.3.3", FIXED.size, LENGTH_LIMIT, _accept),
    PduType.ASSOCIATE_RJ: Definition("A-ASSOCIATE-RJ", "PS3.8 §9.3.4", SHORT_LENGTH, SHORT_LENGTH, read_reject),
    PduType.DATA: Definition("P-DATA-TF", "PS3.8 §9.3.5", 0, LENGTH_LIMIT, read_data),
    PduType.RELEASE_RQ: Definition("A-RELEASE-RQ", "PS3.8 §9.3.6", SHORT_LENGTH, SHORT_LENGTH, read_release_request),
    PduType.RELEASE_RP: Definition("A-RELEASE-RP", "PS3.8 §9.3.7", SHORT_LENGTH, SHORT_LENGTH, read_release_reply),
    PduType.ABORT: Definition("A-ABORT", "PS3.8 §9.3.8", SHORT_LENGTH, SHORT_LENGTH, read_abort),
}


def frame(buffer: bytes | bytearray, at: int = 0) -> Frame | Malformed | None:
    """Cut the PDU that begins here out of the stream; None while it is not complete, malformed as soon as it never can be one."""
    begin = at + HEADER
    if len(buffer) < begin:
        return None
    kind, length = _header(buffer, at)
    definition = PDUS.get(kind)
    if definition is None:
        return Malformed(ParseWarning.TYPE_UNKNOWN)
    if not definition.shortest <= length <= definition.longest:
        return Malformed(_length_fault(definition, length))
    end = begin + length
    return Frame(kind, bytes(buffer[begin:end])) if end <= len(buffer) else None


def decode(whole: Frame) -> Pdu:
    """Read the fields of a PDU."""
    definition = PDUS.get(whole.type)
    if definition is None:
        return Malformed(ParseWarning.TYPE_UNKNOWN)
    if not definition.shortest <= len(whole.body) <= definition.longest:
        return Malformed(_length_fault(definition, len(whole.body)))
    return definition.read(whole.body)


def _length_fault(definition: Definition, length: int) -> ParseWarning:
    """Say what is wrong with a length that a type cannot have."""
    if definition.longest == SHORT_LENGTH:
        return ParseWarning.LENGTH_OTHER
    return ParseWarning.LENGTH_OVER_LIMIT if length > LENGTH_LIMIT else ParseWarning.LENGTH_SHORT
