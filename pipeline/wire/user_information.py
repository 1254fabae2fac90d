"""Sub-items of the user information (PS3.8 Annex D.1, PS3.7 Annex D.3.3): a table with one reader for each."""

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
from pipeline.wire.item import Container, Item, ItemType, placement_warning
from pipeline.wire.text import name, uid
from pipeline.wire.warning import ParseWarning, Warnings

#: A field's value, None if it cannot be read, and the warnings about its bytes.
Read = tuple[object, Warnings]
_WRONG_LENGTH: Read = None, (ParseWarning.ITEM_LENGTH,)

_u16 = struct.Struct(">H").unpack_from
_two_u16 = struct.Struct(">HH")
_u32 = struct.Struct(">L")
#: Role bytes are 0 or 1 (PS3.7 Table D.3-9); so is the response flag (§D.3.3.7.1).
_FLAGS = frozenset({0, 1})
#: User name, user name and passcode, Kerberos, SAML, JSON web token (PS3.7 §D.3.3.7.1).
_IDENTITY_TYPES = frozenset({1, 2, 3, 4, 5})
#: SOP class UID and length, and two role bytes (PS3.7 Table D.3-9).
_ROLES = 2


def max_pdu(value: bytes) -> Read:
    """Read the maximum length: u32, 0 for no limit (PS3.8 §D.1.1)."""
    return (_u32.unpack(value)[0], ()) if len(value) == _u32.size else _WRONG_LENGTH


def window(value: bytes) -> Read:
    """Read the asynchronous operations window: u16 invoked, u16 performed (PS3.7 Table D.3-7)."""
    return (AsynchronousOperationsWindow(*_two_u16.unpack(value)), ()) if len(value) == _two_u16.size else _WRONG_LENGTH


def role(value: bytes) -> Read:
    """Read a role selection: UID with its length, SCU role, SCP role (PS3.7 Table D.3-9)."""
    split = _counted(value)
    if split is None or len(split[1]) != _ROLES:
        return _WRONG_LENGTH
    sop_class, warnings = uid(split[0])
    scu, scp = split[1]
    return Role(sop_class, scu, scp), warnings + _value_warning(scu in _FLAGS and scp in _FLAGS)


def extended(value: bytes) -> Read:
    """Read an extended negotiation: UID with its length, application information (PS3.7 Table D.3-11)."""
    split = _counted(value)
    if split is None:
        return _WRONG_LENGTH
    sop_class, warnings = uid(split[0])
    return ExtendedNegotiation(sop_class, split[1]), warnings


def common_extended(value: bytes) -> Read:
    """Read a common extended negotiation: SOP class, service class, related general SOP classes (PS3.7 Table D.3-12)."""
    first = _counted(value)
    second = None if first is None else _counted(first[1])
    block = None if second is None else _counted(second[1])
    if first is None or second is None or block is None:
        return _WRONG_LENGTH
    # What follows the related classes is reserved and not tested (PS3.7 Table D.3-12).
    related, fits = _related(block[0])
    texts = [uid(part) for part in (first[0], second[0], *related)]
    sop_class, service_class, *related_uids = (text for text, _ in texts)
    warnings = tuple(warning for _, warnings in texts for warning in warnings)
    return CommonExtendedNegotiation(sop_class, service_class, tuple(related_uids)), warnings + (
        () if fits else _WRONG_LENGTH[1]
    )


def identity(value: bytes) -> Read:
    """Read a user identity: type, response flag, primary and secondary field with their lengths (PS3.7 §D.3.3.7.1)."""
    primary = _counted(value[2:])
    secondary = None if primary is None else _counted(primary[1])
    if primary is None or secondary is None or secondary[1]:
        return _WRONG_LENGTH
    known = value[0] in _IDENTITY_TYPES and value[1] in _FLAGS
    return UserIdentity(value[0], value[1], primary[0], secondary[0]), _value_warning(known)


def identity_response(value: bytes) -> Read:
    """Read a server response with its length (PS3.7 §D.3.3.7.2)."""
    split = _counted(value)
    return _WRONG_LENGTH if split is None or split[1] else (split[0], ())


class SubItem(NamedTuple):
    """The field that a sub-item fills, its reader, and whether it may occur more than once."""

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
    """Collects the fields of sub-items, and warnings."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._single: dict[str, object] = {}
        self._many: dict[str, list[object]] = {}
        self.seen: set[int] = set()
        self.warnings: list[ParseWarning] = []

    def take(self, item: Item) -> None:
        """Read one sub-item; of a repeated one that may occur once, the first counts."""
        warning = placement_warning(item, self._container)
        self.warnings += [] if warning is None else [warning]
        row = SUB_ITEMS.get(item.type)
        if row is None:
            return
        repeated = item.type in self.seen and not row.repeats
        self.seen.add(item.type)
        if repeated:
            self.warnings.append(ParseWarning.ITEM_REPEATED)
        else:
            self._fill(row, *row.read(item.value))

    def _fill(self, row: SubItem, value: object, warnings: Warnings) -> None:
        """Add a value that was read, and its warnings."""
        self.warnings += warnings
        if row.repeats and value is not None:
            self._many.setdefault(row.field, []).append(value)
        elif not row.repeats:
            self._single[row.field] = value

    def fields(self) -> dict[str, object]:
        """Field name → value, for the fields that were present."""
        return self._single | {field: tuple(values) for field, values in self._many.items()}


def _counted(value: bytes) -> tuple[bytes, bytes] | None:
    """Cut a field off that follows its u16 length; return it and the rest, or None if it is cut short."""
    if len(value) < 2:
        return None
    end = 2 + _u16(value)[0]
    return (value[2:end], value[end:]) if end <= len(value) else None


def _related(block: bytes) -> tuple[list[bytes], bool]:
    """Split the related general SOP class UIDs; also return whether they exactly fill their block."""
    parts: list[bytes] = []
    at = 0
    while at + 2 <= len(block):
        begin = at + 2
        at = begin + _u16(block, begin - 2)[0]
        if at > len(block):
            return parts, False
        parts.append(block[begin:at])
    return parts, at == len(block)


def _value_warning(listed: bool) -> Warnings:
    """A warning if a value is not listed in the standard."""
    return () if listed else (ParseWarning.ITEM_VALUE,)
