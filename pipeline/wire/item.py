"""Items and sub-items of A-ASSOCIATE PDUs (PS3.8 §9.3.2, §9.3.3, Annex D; PS3.7 Annex D): the table, and the walk over them."""

import struct
from enum import IntEnum
from typing import NamedTuple

from pipeline.wire.warning import ParseWarning

#: Type, reserved, length of an item (PS3.8 §9.3.2).
ITEM_HEADER = 4
#: The type and the length of an item; the reserved byte shall not be tested (PS3.8 §9.3.2.1).
unpack_item = struct.Struct(">BxH").unpack_from


class ItemType(IntEnum):
    """Items and sub-items (PS3.8 §9.3.2, §9.3.3, §D.1; PS3.7 §D.3.3)."""

    APPLICATION_CONTEXT = 0x10
    CONTEXT_RQ = 0x20
    CONTEXT_AC = 0x21
    ABSTRACT_SYNTAX = 0x30
    TRANSFER_SYNTAX = 0x40
    USER_INFORMATION = 0x50
    MAX_PDU = 0x51
    CLASS_UID = 0x52
    ASYNCHRONOUS_OPERATIONS_WINDOW = 0x53
    ROLE_SELECTION = 0x54
    VERSION_NAME = 0x55
    EXTENDED_NEGOTIATION = 0x56
    COMMON_EXTENDED_NEGOTIATION = 0x57
    USER_IDENTITY_RQ = 0x58
    USER_IDENTITY_AC = 0x59


class Holder(IntEnum):
    """What an item may stand in; the values are the PDU's type or the item's."""

    REQUEST = 0x01
    ACCEPT = 0x02
    CONTEXT_RQ = 0x20
    CONTEXT_AC = 0x21
    REQUEST_USER = 0x150
    ACCEPT_USER = 0x250


class Definition(NamedTuple):
    """How the standard names an item, where it defines it, and where it lets it stand."""

    name: str
    clause: str
    holders: frozenset[Holder]


def _in(*holders: Holder) -> frozenset[Holder]:
    return frozenset(holders)


_PDUS = _in(Holder.REQUEST, Holder.ACCEPT)
_USERS = _in(Holder.REQUEST_USER, Holder.ACCEPT_USER)

ITEMS: dict[int, Definition] = {
    ItemType.APPLICATION_CONTEXT: Definition("Application Context Item", "PS3.8 §9.3.2.1", _PDUS),
    ItemType.CONTEXT_RQ: Definition("Presentation Context Item", "PS3.8 §9.3.2.2", _in(Holder.REQUEST)),
    ItemType.CONTEXT_AC: Definition("Presentation Context Item", "PS3.8 §9.3.3.2", _in(Holder.ACCEPT)),
    ItemType.ABSTRACT_SYNTAX: Definition("Abstract Syntax Sub-Item", "PS3.8 §9.3.2.2.1", _in(Holder.CONTEXT_RQ)),
    ItemType.TRANSFER_SYNTAX: Definition(
        "Transfer Syntax Sub-Item", "PS3.8 §9.3.2.2.2", _in(Holder.CONTEXT_RQ, Holder.CONTEXT_AC)
    ),
    ItemType.USER_INFORMATION: Definition("User Information Item", "PS3.8 §9.3.2.3", _PDUS),
    ItemType.MAX_PDU: Definition("Maximum Length Sub-Item", "PS3.8 §D.1", _USERS),
    ItemType.CLASS_UID: Definition("Implementation Class UID Sub-Item", "PS3.7 §D.3.3.2.1", _USERS),
    ItemType.ASYNCHRONOUS_OPERATIONS_WINDOW: Definition(
        "Asynchronous Operations Window Sub-Item", "PS3.7 §D.3.3.3.1", _USERS
    ),
    ItemType.ROLE_SELECTION: Definition("SCP/SCU Role Selection Sub-Item", "PS3.7 §D.3.3.4.1", _USERS),
    ItemType.VERSION_NAME: Definition("Implementation Version Name Sub-Item", "PS3.7 §D.3.3.2.3", _USERS),
    ItemType.EXTENDED_NEGOTIATION: Definition("SOP Class Extended Negotiation Sub-Item", "PS3.7 §D.3.3.5.1", _USERS),
    ItemType.COMMON_EXTENDED_NEGOTIATION: Definition(
        "SOP Class Common Extended Negotiation Sub-Item", "PS3.7 §D.3.3.6.1", _in(Holder.REQUEST_USER)
    ),
    ItemType.USER_IDENTITY_RQ: Definition("User Identity Sub-Item", "PS3.7 §D.3.3.7.1", _in(Holder.REQUEST_USER)),
    ItemType.USER_IDENTITY_AC: Definition("User Identity Sub-Item", "PS3.7 §D.3.3.7.2", _in(Holder.ACCEPT_USER)),
}


class Item(NamedTuple):
    """An item's type and its value."""

    type: int
    value: bytes


def walk(data: bytes) -> tuple[list[Item], list[ParseWarning]]:
    """Cut items out of what holds them, up to where one does not fit."""
    items: list[Item] = []
    at, end = 0, len(data)
    while at + ITEM_HEADER <= end:
        kind, length = unpack_item(data, at)
        begin = at + ITEM_HEADER
        at = begin + length
        if at > end:
            return items, [ParseWarning.ITEM_CUT]
        items.append(Item(kind, data[begin:at]))
    return items, [ParseWarning.ITEM_CUT] if at < end else []


def place(item: Item, holder: Holder) -> ParseWarning | None:
    """Say whether the standard lets an item stand here."""
    definition = ITEMS.get(item.type)
    if definition is None:
        return ParseWarning.ITEM_UNKNOWN
    return None if holder in definition.holders else ParseWarning.ITEM_MISPLACED
