"""Items and sub-items of A-ASSOCIATE PDUs (PS3.8 §9.3.2, §9.3.3, Annex D; PS3.7 Annex D): their table, and how to read them."""

import struct
from enum import IntEnum
from typing import NamedTuple

from pipeline.wire.warning import ParseWarning

#: Bytes of an item's header: type, reserved, length (PS3.8 §9.3.2).
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


class Container(IntEnum):
    """What can contain an item: a PDU, an item or user information; values are PDU or item types."""

    REQUEST = 0x01
    ACCEPT = 0x02
    CONTEXT_RQ = 0x20
    CONTEXT_AC = 0x21
    REQUEST_USER = 0x150
    ACCEPT_USER = 0x250


class ItemDefinition(NamedTuple):
    """An item's name and clause in the standard, and what may contain it."""

    name: str
    clause: str
    containers: frozenset[Container]


def _in(*containers: Container) -> frozenset[Container]:
    return frozenset(containers)


_PDUS = _in(Container.REQUEST, Container.ACCEPT)
_USERS = _in(Container.REQUEST_USER, Container.ACCEPT_USER)

ITEMS: dict[int, ItemDefinition] = {
    ItemType.APPLICATION_CONTEXT: ItemDefinition("Application Context Item", "PS3.8 §9.3.2.1", _PDUS),
    ItemType.CONTEXT_RQ: ItemDefinition("Presentation Context Item", "PS3.8 §9.3.2.2", _in(Container.REQUEST)),
    ItemType.CONTEXT_AC: ItemDefinition("Presentation Context Item", "PS3.8 §9.3.3.2", _in(Container.ACCEPT)),
    ItemType.ABSTRACT_SYNTAX: ItemDefinition("Abstract Syntax Sub-Item", "PS3.8 §9.3.2.2.1", _in(Container.CONTEXT_RQ)),
    ItemType.TRANSFER_SYNTAX: ItemDefinition(
        "Transfer Syntax Sub-Item", "PS3.8 §9.3.2.2.2", _in(Container.CONTEXT_RQ, Container.CONTEXT_AC)
    ),
    ItemType.USER_INFORMATION: ItemDefinition("User Information Item", "PS3.8 §9.3.2.3", _PDUS),
    ItemType.MAX_PDU: ItemDefinition("Maximum Length Sub-Item", "PS3.8 §D.1", _USERS),
    ItemType.CLASS_UID: ItemDefinition("Implementation Class UID Sub-Item", "PS3.7 §D.3.3.2.1", _USERS),
    ItemType.ASYNCHRONOUS_OPERATIONS_WINDOW: ItemDefinition(
        "Asynchronous Operations Window Sub-Item", "PS3.7 §D.3.3.3.1", _USERS
    ),
    ItemType.ROLE_SELECTION: ItemDefinition("SCP/SCU Role Selection Sub-Item", "PS3.7 §D.3.3.4.1", _USERS),
    ItemType.VERSION_NAME: ItemDefinition("Implementation Version Name Sub-Item", "PS3.7 §D.3.3.2.3", _USERS),
    ItemType.EXTENDED_NEGOTIATION: ItemDefinition(
        "SOP Class Extended Negotiation Sub-Item", "PS3.7 §D.3.3.5.1", _USERS
    ),
    ItemType.COMMON_EXTENDED_NEGOTIATION: ItemDefinition(
        "SOP Class Common Extended Negotiation Sub-Item", "PS3.7 §D.3.3.6.1", _in(Container.REQUEST_USER)
    ),
    ItemType.USER_IDENTITY_RQ: ItemDefinition(
        "User Identity Sub-Item", "PS3.7 §D.3.3.7.1", _in(Container.REQUEST_USER)
    ),
    ItemType.USER_IDENTITY_AC: ItemDefinition("User Identity Sub-Item", "PS3.7 §D.3.3.7.2", _in(Container.ACCEPT_USER)),
}


class Item(NamedTuple):
    """An item's type and its value."""

    type: int
    value: bytes


def read_items(data: bytes) -> tuple[list[Item], list[ParseWarning]]:
    """Cut a container's bytes into items, up to one that does not fit; items, and a warning if one is cut."""
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


def placement_warning(item: Item, container: Container) -> ParseWarning | None:
    """A warning if the item is unknown, or not allowed in this container."""
    definition = ITEMS.get(item.type)
    if definition is None:
        return ParseWarning.ITEM_UNKNOWN
    return None if container in definition.containers else ParseWarning.ITEM_MISPLACED
