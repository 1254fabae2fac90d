"""P-DATA-TF (PS3.8 §9.3.5, Annex E.2)."""

import struct

from pipeline.wire.fields import Data, Fragment
from pipeline.wire.warning import ParseWarning, distinct

#: A presentation data value's length, context id and message control header (PS3.8 Table 9-23, §E.2).
_header = struct.Struct(">LBB").unpack_from
LENGTH, COUNTED = 4, 2
#: Bits of the message control header (PS3.8 §E.2).
COMMAND, LAST, RESERVED = 0x01, 0x02, 0xFC


def read_data(body: bytes) -> Data:
    """Read presentation data values (length, context id, control header, data) up to one that does not fit."""
    at, end = 0, len(body)
    if end >= LENGTH + COUNTED:
        length, context, control = _header(body)
        # One sound value, as nearly all products send.
        if length == end - LENGTH and context & 1 and not control & RESERVED:
            return Data((Fragment(context, bool(control & COMMAND), bool(control & LAST), body[LENGTH + COUNTED :]),))
    fragments: list[Fragment] = []
    warnings: list[ParseWarning] = []
    while at + LENGTH + COUNTED <= end:
        length, context, control = _header(body, at)
        begin = at + LENGTH + COUNTED
        fault = _length_warning(length, end - at - LENGTH)
        if fault is not None:
            return Data(tuple(fragments), warnings=distinct(*warnings, fault))
        at += LENGTH + length
        fragments.append(Fragment(context, bool(control & COMMAND), bool(control & LAST), body[begin:at]))
        warnings += [ParseWarning.CONTROL_RESERVED] if control & RESERVED else []
        warnings += [] if context & 1 else [ParseWarning.CONTEXT_ID_EVEN]
    if at < end:
        warnings.append(ParseWarning.VALUE_CUT)
    return Data(tuple(fragments), warnings=distinct(*warnings) if end else (ParseWarning.VALUE_MISSING,))


def _length_warning(length: int, left: int) -> ParseWarning | None:
    """A warning if a presentation data value cannot have this length."""
    if length < COUNTED:
        return ParseWarning.VALUE_SHORT
    return ParseWarning.VALUE_CUT if length > left else None
