"""A fast reader for the layout that nearly every product gives its A-ASSOCIATE-AC, with as few objects as possible.

All acceptances of a sweep come through here. It reads only the ordinary layout: application context, presentation
contexts, and user information of maximum length, class UID and an optional version name, with no warning. Anything else
is left to `associate.read_accept`. A test proves that both give the same fields.
"""

import struct

from pipeline.wire.associate import DICOM_APPLICATION_CONTEXT, FIXED, LAST_RESULT
from pipeline.wire.fields import Accept, PresentationContext
from pipeline.wire.item import ITEM_HEADER, ItemType, unpack_item
from pipeline.wire.text import IS_NAME, IS_UID, UID_LIMIT

_APPLICATION = b"\x10\0\0\x15" + DICOM_APPLICATION_CONTEXT.encode()
_ITEMS_AT = FIXED.size
_CONTEXTS_AT = _ITEMS_AT + len(_APPLICATION)
_fixed = FIXED.unpack_from
#: Item type, length, id, result; sub-item type, length (PS3.8 Tables 9-18 and 9-19).
_context = struct.Struct(">BxHBxBxBxH").unpack_from
#: Bytes of all these, and how many of them the item's length counts.
_CONTEXT, _CONTEXT_COUNTED = 12, 8
#: User information, maximum length, class UID: types, lengths, maximum (PS3.8 Tables 9-16 and D.1-1, PS3.7 §D.3.3.2.2).
_user = struct.Struct(">BxHBxHLBxH").unpack_from
_USER = 16
#: Transfer syntaxes of the uncompressed native format (PS3.5 §10, Annex A); any other is left to `read_accept`.
_SYNTAXES = {syntax.encode(): syntax for syntax in ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")}
#: As plain integers, which compare faster than enum members.
_AC, _TS, _UI, _ML, _CU, _VN = (
    int(kind)
    for kind in (
        ItemType.CONTEXT_AC,
        ItemType.TRANSFER_SYNTAX,
        ItemType.USER_INFORMATION,
        ItemType.MAX_PDU,
        ItemType.CLASS_UID,
        ItemType.VERSION_NAME,
    )
)
_FIRST = (int(ItemType.APPLICATION_CONTEXT),)
_UNNAMED, _NAMED = (_UI, _ML, _CU), (_UI, _ML, _CU, _VN)


def read_ordinary(body: bytes) -> Accept | None:
    """Read an A-ASSOCIATE-AC of the ordinary layout; None for any other."""
    if body[_ITEMS_AT:_CONTEXTS_AT] != _APPLICATION:
        return None
    try:
        return _read(body)
    except struct.error:  # an item runs past the end
        return None


def _read(body: bytes) -> Accept | None:
    """Walk the layout. A wrong length shows where the next item, or the end, does not follow."""
    version, called, calling = _fixed(body)
    end, at = len(body), _CONTEXTS_AT
    contexts = []
    kind, length, number, result, sub, counted = _context(body, at)
    while kind == _AC:
        begin = at + _CONTEXT
        at += length + ITEM_HEADER
        syntax = _SYNTAXES.get(body[begin:at])
        plain = sub == _TS and counted == length - _CONTEXT_COUNTED and number & 1 and result <= LAST_RESULT
        if syntax is None or not plain:
            return None
        contexts.append(PresentationContext(number, result, syntax))
        kind, length, number, result, sub, counted = _context(body, at)
    kind, length, first, four, maximum, second, counted = _user(body, at)
    stop = at + _USER + counted
    whole = at + ITEM_HEADER + length == end and (kind, first, four, second) == (_UI, _ML, 4, _CU)
    class_uid = body[at + _USER : stop]
    if not (whole and version & 1 and counted <= UID_LIMIT and IS_UID(class_uid) and contexts):
        return None
    if len(contexts) > 1 and len({context.id for context in contexts}) < len(contexts):
        return None
    name = b"" if stop == end else _name(body, stop, end)
    if name is None:
        return None
    return Accept(
        protocol_version=version,
        called_ae=called,
        calling_ae=calling,
        application_context=DICOM_APPLICATION_CONTEXT,
        contexts=tuple(contexts),
        max_pdu=maximum,
        implementation_class_uid=class_uid.decode(),
        implementation_version_name=name.decode() if name else None,
        item_order=_FIRST + (_AC,) * len(contexts) + (_NAMED if name else _UNNAMED),
    )


def _name(body: bytes, at: int, end: int) -> bytes | None:
    """The version name, if it is the last sub-item and ordinary."""
    kind, length = unpack_item(body, at)
    name = body[at + ITEM_HEADER :]
    fits = kind == _VN and at + ITEM_HEADER + length == end
    return name if fits and IS_NAME(name) else None
