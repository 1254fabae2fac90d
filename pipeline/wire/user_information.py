"""Sub-items of the user information (PS3.8 Annex D.1, PS3.7 Annex D.3.3): each read by one function, as a table."""

import struct
from collections.abc import Callable
from typing import NamedTuple

from pipeline.wire.fields import (
    AsynchronousOperationsWindow,
    CommonExtendedNegotiation,
    ExtendedNegotiation,
    Role,
    UserIdentity,
)
from pipeline.wire.item import Holder, Item, ItemType, place
from pipeline.wire.text import name, uid
from pipeline.wire.warning import ParseWarning, Warnings

#: A field and what was odd about its bytes; None where the bytes do not hold it.
Read = tuple[object, Warnings]
_UNFIT: Read = None, (ParseWarning.ITEM_LENGTH,)

_u16 = struct.Struct(">H").unpack_from
_two_u16 = struct.Struct(">HH")
_u32 = struct.Struct(">L")
#: Role bytes are 0 or 1 (PS3.7 Table D.3-9); so is the response flag (Table D.3-14).
_FLAGS = frozenset({0, 1})
#: User name, user name and passcode, Kerberos, SAML, JSON web token (PS3.7 Table D.3-14).
_IDENTITY_TYPES = frozenset({1, 2, 3, 4, 5})
#: SOP class UID and length, and two role bytes (PS3.7 Table D.3-9).
_ROLES = 2


def max_pdu(value: bytes) -> Read:
    """Read the maximum length: u32, 0 for no limit (PS3.8 §D.1.1)."""
    return (_u32.unpack(value)[0], ()) if len(value) == _u32.size else _UNFIT


def window(value: bytes) -> Read:
    """Read the asynchronous operations window: u16 invoked, u16 performed (PS3.7 Table D.3-7)."""
    return (AsynchronousOperationsWindow(*_two_u16.unpack(value)), ()) if len(value) == _two_u16.size else _UNFIT


def role(value: bytes) -> Read:
    """Read a role selection: UID with its length, SCU role, SCP role (PS3.7 Table D.3-9)."""
    cut = _counted(value)
    if cut is None or len(cut[1]) != _ROLES:
        return _UNFIT
    sop_class, odd = uid(cut[0])
    scu, scp = cut[1]
    return Role(sop_class, scu, scp), odd + _value(scu in _FLAGS and scp in _FLAGS)


def extended(value: bytes) -> Read:
    """Read an extended negotiation: UID with its length, application information (PS3.7 Table D.3-11)."""
    cut = _counted(value)
    if cut is None:
        return _UNFIT
    sop_class, odd = uid(cut[0])
    return ExtendedNegotiation(sop_class, cut[1]), odd


def common_extended(value: bytes) -> Read:
    """Read a common extended negotiation: SOP class, service class, related general SOP classes (PS3.7 Table D.3-12)."""
    first = _counted(value)
    second = None if first is None else _counted(first[1])
    block = None if second is None else _counted(second[1])
    if first is None or second is None or block is None:
        return _UNFIT
    # What follows the related classes is reserved, and not to be tested (PS3.7 Table D.3-12).
    related, fits = _related(block[0])
    texts = [uid(part) for part in (first[0], second[0], *related)]
    sop_class, service_class, *others = (text for text, _ in texts)
    odd = tuple(warning for _, warnings in texts for warning in warnings)
    return CommonExtendedNegotiation(sop_class, service_class, tuple(others)), odd + (() if fits else _UNFIT[1])


def identity(value: bytes) -> Read:
    """Read a user identity: type, response flag, primary and secondary field with their lengths (PS3.7 Table D.3-14)."""
    primary = _counted(value[2:])
    secondary = None if primary is None else _counted(primary[1])
    if primary is None or secondary is None or secondary[1]:
        return _UNFIT
    known = value[0] in _IDENTITY_TYPES and value[1] in _FLAGS
    return UserIdentity(value[0], value[1], primary[0], secondary[0]), _value(known)


def identity_response(value: bytes) -> Read:
    """Read a server response with its length (PS3.7 Table D.3-15)."""
    cut = _counted(value)
    return _UNFIT if cut is None or cut[1] else (cut[0], ())


class SubItem(NamedTuple):
    """Which field a sub-item fills, how it is read, and whether it may come more than once."""

    field: str
    read: Callable[[bytes], Read]
    repeats: bool = False


SUB_ITEMS: dict[int, SubItem] = {
    ItemType.MAX_PDU: SubItem("max_pdu", max_pdu),
    ItemType.CLASS_UID: SubItem("implementation_class_uid", uid),
    ItemType.ASYNCHRONOUS_OPERATIONS_WINDOW: SubItem("asynchronous_operations_window", window),
    ItemType.ROLE_SELECTION: SubItem("roles", role, repeats=True),
    ItemType.VERSION_NAME: SubItem("implementation_version_name", name),
    ItemType.EXTENDED_NEGOTIATION: SubItem("extended_negotiation", extended, repeats=True),
    ItemType.COMMON_EXTENDED_NEGOTIATION: SubItem("common_extended_negotiation", common_extended, repeats=True),
    ItemType.USER_IDENTITY_RQ: SubItem("user_identity", identity),
    ItemType.USER_IDENTITY_AC: SubItem("user_identity_response", identity_response),
}


class UserInformation:
    """The fields that sub-items have filled so far, and what was odd about them."""

    def __init__(self, holder: Holder) -> None:
        self._holder = holder
        self._single: dict[str, object] = {}
        self._many: dict[str, list[object]] = {}
        self.seen: set[int] = set()
        self.warnings: list[ParseWarning] = []

    def take(self, item: Item) -> None:
        """Read one sub-item; of those that may come once, the first stands."""
        odd = place(item, self._holder)
        self.warnings += [] if odd is None else [odd]
        row = SUB_ITEMS.get(item.type)
        if row is None:
            return
        again = item.type in self.seen and not row.repeats
        self.seen.add(item.type)
        if again:
            self.warnings.append(ParseWarning.ITEM_REPEATED)
        else:
            self._fill(row, *row.read(item.value))

    def _fill(self, row: SubItem, value: object, odd: Warnings) -> None:
        """Keep what was read."""
        self.warnings += odd
        if row.repeats and value is not None:
            self._many.setdefault(row.field, []).append(value)
        elif not row.repeats:
            self._single[row.field] = value

    def fields(self) -> dict[str, object]:
        """Field name → value, for the fields that were there."""
        return self._single | {field: tuple(values) for field, values in self._many.items()}


def _counted(value: bytes) -> tuple[bytes, bytes] | None:
    """Cut a field off that stands behind its u16 length; give it and the rest."""
    if len(value) < 2:
        return None
    end = 2 + _u16(value)[0]
    return (value[2:end], value[end:]) if end <= len(value) else None


def _related(block: bytes) -> tuple[list[bytes], bool]:
    """Cut the related general SOP class UIDs apart; say whether they fill their block."""
    parts: list[bytes] = []
    at = 0
    while at + 2 <= len(block):
        begin = at + 2
        at = begin + _u16(block, begin - 2)[0]
        if at > len(block):
            return parts, False
        parts.append(block[begin:at])
    return parts, at == len(block)


def _value(listed: bool) -> Warnings:
    """A warning where a value is none that the standard lists."""
    return () if listed else (ParseWarning.ITEM_VALUE,)
