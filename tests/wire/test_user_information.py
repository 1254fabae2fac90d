"""The sub-items of the user information: known answers, and any bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.fields import (
    AsynchronousOperationsWindow,
    CommonExtendedNegotiation,
    ExtendedNegotiation,
    Role,
    UserIdentity,
)
from pipeline.wire.item import Container, Item, ItemType
from pipeline.wire.user_information import SUB_ITEMS, UserInformation
from pipeline.wire.warning import ParseWarning
from tests.wire.vectors import counted

KNOWN: tuple[tuple[int, bytes, object], ...] = (
    (0x51, b"\0\0\x40\0", 16384),
    (0x51, b"\xff\xff\xff\xff", 2**32 - 1),
    (0x52, b"1.2.276.0.7230010.3.0.3.6.7", "1.2.276.0.7230010.3.0.3.6.7"),
    (0x53, b"\0\1\xff\xff", AsynchronousOperationsWindow(1, 65535)),
    (0x54, counted(b"1.2.840.10008.1.1") + b"\1\0", Role("1.2.840.10008.1.1", 1, 0)),
    (0x55, b"OFFIS_DCMTK_367", "OFFIS_DCMTK_367"),
    (0x56, counted(b"1.2") + b"\1\0\2", ExtendedNegotiation("1.2", b"\1\0\2")),
    (0x57, counted(b"1.2") + counted(b"1.3") + counted(b""), CommonExtendedNegotiation("1.2", "1.3", ())),
    (
        0x57,
        counted(b"1.2") + counted(b"1.3") + counted(counted(b"1.4") + counted(b"1.5")) + b"reserved",
        CommonExtendedNegotiation("1.2", "1.3", ("1.4", "1.5")),
    ),
    (0x58, b"\1\0" + counted(b"user") + counted(b""), UserIdentity(1, 0, b"user", b"")),
    (0x58, b"\2\1" + counted(b"user") + counted(b"pass"), UserIdentity(2, 1, b"user", b"pass")),
    (0x59, counted(b""), b""),
    (0x59, counted(b"ticket"), b"ticket"),
)

UNFIT = (
    (0x51, b""),
    (0x51, b"\0\0\0\0\0"),
    (0x53, b"\0\0\0"),
    (0x54, b""),
    (0x54, b"\0"),
    (0x54, counted(b"1.2") + b"\0\1\0"),
    (0x56, b"\xff\xff1.2"),
    (0x57, counted(b"1.2") + counted(b"1.3")),
    (0x57, counted(b"1.2") + b"\0\xff1.3"),
    (0x58, b"\1"),
    (0x58, b"\1\0" + counted(b"user")),
    (0x58, b"\1\0" + counted(b"user") + counted(b"") + b"more"),
    (0x59, b"\0\1"),
)


@pytest.mark.parametrize(("kind", "value", "field"), KNOWN)
def test_known_answers(kind: int, value: bytes, field: object) -> None:
    """Each sub-item gives the field of the standard's table, without a warning."""
    assert SUB_ITEMS[kind].read(value) == (field, ())


@pytest.mark.parametrize(("kind", "value"), UNFIT)
def test_lengths_that_lie(kind: int, value: bytes) -> None:
    """A sub-item whose lengths do not fit its fields gives no field, and a warning."""
    assert SUB_ITEMS[kind].read(value) == (None, (ParseWarning.ITEM_LENGTH,))


def test_related_classes_that_do_not_fit() -> None:
    """If a related general SOP class does not fit its block, the classes before it are kept."""
    value = counted(b"1.2") + counted(b"1.3") + counted(counted(b"1.4") + b"\0\x091")
    assert SUB_ITEMS[0x57].read(value) == (
        CommonExtendedNegotiation("1.2", "1.3", ("1.4",)),
        (ParseWarning.ITEM_LENGTH,),
    )


@pytest.mark.parametrize("value", [b"\0\0" + counted(b"x") + counted(b""), b"\1\2" + counted(b"x") + counted(b"")])
def test_values_that_are_not_listed(value: bytes) -> None:
    """An identity of an unlisted type or flag is read as sent, with a warning."""
    assert SUB_ITEMS[0x58].read(value) == (UserIdentity(value[0], value[1], b"x", b""), (ParseWarning.ITEM_VALUE,))


def test_the_table_is_whole() -> None:
    """Each sub-item of PS3.7 Annex D, 51H to 59H, has its row."""
    assert list(SUB_ITEMS) == list(range(ItemType.MAX_PDU, ItemType.USER_IDENTITY_AC + 1))


def test_the_first_stands() -> None:
    """Of a repeated sub-item that may occur once, the first counts; of other repeated sub-items, all are kept."""
    user = UserInformation(Container.ACCEPT_USER)
    for kind, value in (
        (0x55, b"A"),
        (0x55, b"B"),
        (0x54, counted(b"1.2") + b"\0\1"),
        (0x54, counted(b"1.3") + b"\1\1"),
    ):
        user.take(Item(kind, value))
    assert user.fields() == {"implementation_version_name": "A", "roles": (Role("1.2", 0, 1), Role("1.3", 1, 1))}
    assert user.warnings == [ParseWarning.ITEM_REPEATED]


@given(st.sampled_from(sorted(SUB_ITEMS)), st.binary(max_size=200))
def test_any_bytes_give_a_value(kind: int, value: bytes) -> None:
    """Any bytes in a sub-item give a field, or none with a warning."""
    field, warnings = SUB_ITEMS[kind].read(value)
    assert field is not None or warnings
