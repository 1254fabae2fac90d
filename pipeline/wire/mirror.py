"""Our own request that comes back as an A-ASSOCIATE-AC: a mirror changed its type, and perhaps other fields.

The AE titles do not tell: their fields in an A-ASSOCIATE-AC "shall not be tested when received" (PS3.8 Table 9-17), and
servers exist that return blank, swapped or their own titles. A mirror is told by what only a request has. An acceptance
answers presentation contexts and names no abstract syntax in them (PS3.8 Table 9-18); a request proposes them, each with an
abstract syntax (PS3.8 Table 9-13).
"""

from functools import lru_cache

from pipeline.wire.associate import CONTEXT_FIXED, FIXED
from pipeline.wire.fields import Accept, Request
from pipeline.wire.item import ItemType, read_items
from pipeline.wire.pdu import HEADER, Frame, decode
from pipeline.wire.warning import ParseWarning

CONTEXTS = frozenset({ItemType.CONTEXT_RQ, ItemType.CONTEXT_AC})


def is_mirrored(accept: Accept, pdu: bytes, request: bytes) -> bool:
    """Whether an acceptance, its fields and its bytes, is our request with another type.

    It is if it has an abstract syntax in a presentation context, and also our class UID or version name. One of the two is
    not enough: a server that copies part of our request into an acceptance of its own has accepted.
    """
    if ParseWarning.ITEM_MISPLACED not in accept.warnings or not _proposes(pdu):
        return False
    return not _names(request).isdisjoint({accept.implementation_class_uid, accept.implementation_version_name})


def _proposes(pdu: bytes) -> bool:
    """Whether a presentation context of an A-ASSOCIATE PDU has an abstract syntax."""
    items, _ = read_items(pdu[HEADER + FIXED.size :])
    return any(
        part.type == ItemType.ABSTRACT_SYNTAX
        for item in items
        if item.type in CONTEXTS
        for part in read_items(item.value[CONTEXT_FIXED:])[0]
    )


@lru_cache(maxsize=8)
def _names(request: bytes) -> frozenset[str]:
    """Class UID and version name of our request; cached, so read once per sweep."""
    decoded = decode(Frame(request[0], request[HEADER:]))
    names = (
        (decoded.implementation_class_uid, decoded.implementation_version_name) if isinstance(decoded, Request) else ()
    )
    return frozenset(name for name in names if name)
