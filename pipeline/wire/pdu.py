"""Decode a peer's PDUs (PS3.8 §9.3), whatever its bytes.

The decoder is total and bounded. Any bytes give a value with warnings and a verdict, never an exception. It reads at most
16 KiB of a PDU, allocates nothing because of a length field, and takes time linear in the bytes received. Integers are
big-endian (PS3.8 §9.3.1), in a command set little-endian (PS3.7 §6.3.1). `docs/wire.md` explains what is read, and each
limit.
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

#: Version of this decoder, recorded in each row. Raise it when the same bytes give other fields.
PARSER_VERSION = 4

#: Bytes of a PDU's header: type, reserved, length (PS3.8 §9.3.1).
HEADER = 6
_header = struct.Struct(">BxL").unpack_from
#: The greatest length of a PDU; one that claims more is malformed, since more is never kept (docs/wire.md).
LENGTH_LIMIT = RAW_LIMIT - HEADER
#: The length of A-ASSOCIATE-RJ, A-RELEASE-RQ, A-RELEASE-RP and A-ABORT (PS3.8 §9.3.4, §9.3.6 to §9.3.8).
SHORT_LENGTH = 4
#: Warnings kept of a whole conversation.
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
    """A whole PDU cut out of the stream."""

    type: int
    body: bytes

    @property
    def size(self) -> int:
        """Bytes of the PDU in the stream, header included."""
        return HEADER + len(self.body)


class PduDefinition(NamedTuple):
    """A PDU's name and clause in the standard, the lengths that it can have, and its reader."""

    name: str
    clause: str
    shortest: int
    longest: int
    read: Callable[[bytes], Pdu]


def _accept(body: bytes) -> Accept:
    """Read an A-ASSOCIATE-AC: by the fast reader, or by the general one."""
    return read_ordinary(body) or read_accept(body)


#: PDU type → definition. A P-DATA-TF of length 0 is read too, so that it gets its warning.
PDUS: dict[int, PduDefinition] = {
    PduType.ASSOCIATE_RQ: PduDefinition("A-ASSOCIATE-RQ", "PS3.8 §9.3.2", FIXED.size, LENGTH_LIMIT, read_request),
    PduType.ASSOCIATE_AC: PduDefinition("A-ASSOCIATE-AC", "PS3.8 §9.3.3", FIXED.size, LENGTH_LIMIT, _accept),
    PduType.ASSOCIATE_RJ: PduDefinition("A-ASSOCIATE-RJ", "PS3.8 §9.3.4", SHORT_LENGTH, SHORT_LENGTH, read_reject),
    PduType.DATA: PduDefinition("P-DATA-TF", "PS3.8 §9.3.5", 0, LENGTH_LIMIT, read_data),
    PduType.RELEASE_RQ: PduDefinition("A-RELEASE-RQ", "PS3.8 §9.3.6", SHORT_LENGTH, SHORT_LENGTH, read_release_request),
    PduType.RELEASE_RP: PduDefinition("A-RELEASE-RP", "PS3.8 §9.3.7", SHORT_LENGTH, SHORT_LENGTH, read_release_reply),
    PduType.ABORT: PduDefinition("A-ABORT", "PS3.8 §9.3.8", SHORT_LENGTH, SHORT_LENGTH, read_abort),
}


def frame(buffer: bytes | bytearray, at: int = 0) -> Frame | Malformed | None:
    """Cut the PDU at an offset out of the stream; None while it is incomplete, Malformed as soon as it cannot become one."""
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


def decode(pdu_frame: Frame) -> Pdu:
    """Read the fields of a PDU."""
    definition = PDUS.get(pdu_frame.type)
    if definition is None:
        return Malformed(ParseWarning.TYPE_UNKNOWN)
    if not definition.shortest <= len(pdu_frame.body) <= definition.longest:
        return Malformed(_length_fault(definition, len(pdu_frame.body)))
    return definition.read(pdu_frame.body)


def _length_fault(definition: PduDefinition, length: int) -> ParseWarning:
    """The warning for a length that the type does not allow."""
    if definition.longest == SHORT_LENGTH:
        return ParseWarning.LENGTH_OTHER
    return ParseWarning.LENGTH_OVER_LIMIT if length > LENGTH_LIMIT else ParseWarning.LENGTH_SHORT
