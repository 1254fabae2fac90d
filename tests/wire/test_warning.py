"""The vocabulary of warnings: each is caused by some bytes and explained, and no reply gets a warning twice."""

from pathlib import Path

import pytest

from pipeline.wire.fields import Malformed, WithWarnings
from pipeline.wire.item import ITEMS
from pipeline.wire.pdu import PDUS, Frame, decode, decode_echo
from pipeline.wire.warning import BREAKING, ParseWarning, Verdict, distinct, verdict
from tests.wire.vectors import (
    APPLICATION,
    CLASS_UID,
    CONTEXT,
    FIELD,
    LENGTH,
    NAME,
    NO_DATA_SET,
    PROPOSED,
    RESPONDED,
    SOP_CLASS,
    SUCCESS,
    SYNTAX,
    USER,
    WINDOW,
    associate,
    command,
    counted,
    element,
    item,
    value,
)

W = ParseWarning
PAGE = Path(__file__).parents[2] / "docs" / "wire.md"


def answer(*items: bytes) -> bytes:
    """The body of an A-ASSOCIATE-AC."""
    return associate(2, *items)[6:]


def user(*items: bytes) -> bytes:
    """The body of an A-ASSOCIATE-AC with these sub-items of the user information."""
    return answer(APPLICATION, CONTEXT, item(0x50, b"".join(items)))


def context(number: int, result: int, *items: bytes) -> bytes:
    """An answered presentation context."""
    return item(0x21, bytes([number, 0, result, 0]) + b"".join(items))


#: (PDU type, its body, exactly the warnings that it gets)
EARNED: tuple[tuple[int, bytes, tuple[ParseWarning, ...]], ...] = (
    (8, b"", (W.TYPE_UNKNOWN,)),
    (2, bytes(67), (W.LENGTH_SHORT,)),
    (3, bytes(5), (W.LENGTH_OTHER,)),
    (4, bytes(16379), (W.LENGTH_OVER_LIMIT,)),
    (2, answer(APPLICATION, CONTEXT, USER, b"\x21"), (W.ITEM_CUT,)),
    (2, answer(APPLICATION, CONTEXT, USER, b"\x21\0\0\x09\1\0\0\0"), (W.ITEM_CUT,)),
    (2, answer(APPLICATION, context(1, 0, SYNTAX, b"\x40\0\0\5"), USER), (W.ITEM_CUT,)),
    (2, user(LENGTH, CLASS_UID, b"\x55\0\0\5NAM"), (W.ITEM_CUT,)),
    (2, answer(APPLICATION, CONTEXT, item(0x21, b"\1\0\0"), USER), (W.CONTEXT_CUT,)),
    (2, answer(APPLICATION, CONTEXT, USER, item(0x99, b"")), (W.ITEM_UNKNOWN,)),
    (2, answer(APPLICATION, context(1, 0, SYNTAX, item(0x99, b"")), USER), (W.ITEM_UNKNOWN,)),
    (2, user(LENGTH, CLASS_UID, item(0x5A, b"")), (W.ITEM_UNKNOWN,)),
    (2, answer(APPLICATION, CONTEXT, USER, PROPOSED), (W.ITEM_MISPLACED,)),
    (2, user(LENGTH, CLASS_UID, item(0x57, counted(b"1") + counted(b"1") + counted(b""))), (W.ITEM_MISPLACED,)),
    (2, answer(APPLICATION, APPLICATION, CONTEXT, USER), (W.ITEM_REPEATED,)),
    (2, answer(APPLICATION, CONTEXT, USER, USER), (W.ITEM_REPEATED,)),
    (2, user(LENGTH, LENGTH, CLASS_UID), (W.ITEM_REPEATED,)),
    (2, user(LENGTH, CLASS_UID, WINDOW, WINDOW), (W.ITEM_REPEATED,)),
    (2, user(item(0x51, b"\1"), CLASS_UID), (W.ITEM_LENGTH,)),
    (2, user(LENGTH, CLASS_UID, item(0x53, b"\0\1\0")), (W.ITEM_LENGTH,)),
    (2, user(LENGTH, CLASS_UID, item(0x54, counted(b"1.2") + b"\1")), (W.ITEM_LENGTH,)),
    (2, user(LENGTH, CLASS_UID, item(0x56, b"\0\x091.2")), (W.ITEM_LENGTH,)),
    (2, user(LENGTH, CLASS_UID, item(0x59, counted(b"x") + b"y")), (W.ITEM_LENGTH,)),
    (2, user(LENGTH, CLASS_UID, item(0x54, counted(b"1.2") + b"\2\0")), (W.ITEM_VALUE,)),
    (2, answer(CONTEXT, USER), (W.APPLICATION_CONTEXT_MISSING,)),
    (2, answer(APPLICATION, USER), (W.CONTEXT_MISSING,)),
    (2, answer(APPLICATION, CONTEXT), (W.USER_INFORMATION_MISSING, W.MAX_PDU_MISSING, W.CLASS_UID_MISSING)),
    (2, user(CLASS_UID), (W.MAX_PDU_MISSING,)),
    (2, user(LENGTH, NAME), (W.CLASS_UID_MISSING,)),
    (2, associate(2, APPLICATION, CONTEXT, USER, version=2)[6:], (W.PROTOCOL_VERSION,)),
    (2, answer(item(0x10, b"1.2.3"), CONTEXT, USER), (W.APPLICATION_CONTEXT,)),
    (2, answer(APPLICATION, context(2, 0, SYNTAX), USER), (W.CONTEXT_ID_EVEN,)),
    (2, answer(APPLICATION, CONTEXT, CONTEXT, USER), (W.CONTEXT_ID_REPEATED,)),
    (2, answer(APPLICATION, context(1, 5, SYNTAX), USER), (W.CONTEXT_RESULT,)),
    (1, associate(1, APPLICATION, item(0x20, b"\1\0\0\0" + SYNTAX), USER)[6:], (W.ABSTRACT_SYNTAX,)),
    (2, answer(APPLICATION, context(1, 0), USER), (W.TRANSFER_SYNTAX_MISSING,)),
    (2, answer(APPLICATION, context(1, 3), USER), ()),
    (2, answer(APPLICATION, context(1, 3, item(0x40, b"")), USER), ()),
    (2, answer(APPLICATION, context(1, 0, SYNTAX, SYNTAX), USER), (W.TRANSFER_SYNTAX_REPEATED,)),
    (2, user(LENGTH, item(0x52, b"1.02")), (W.UID_FORM,)),
    (2, user(LENGTH, item(0x52, b"1.2.")), (W.UID_FORM,)),
    (2, user(LENGTH, item(0x52, b"1.2" * 22)), (W.UID_LONG,)),
    (2, user(LENGTH, item(0x52, b"")), (W.UID_EMPTY,)),
    (2, user(LENGTH, item(0x52, b"1.2\0")), (W.PADDED,)),
    (2, user(LENGTH, CLASS_UID, item(0x55, b"\x1b[2J")), (W.NAME_FORM,)),
    (2, user(LENGTH, CLASS_UID, item(0x55, b"x" * 17)), (W.NAME_LONG,)),
    (2, user(LENGTH, CLASS_UID, item(0x55, b"")), (W.NAME_EMPTY,)),
    (2, user(LENGTH, CLASS_UID, item(0x55, b"NAME  ")), (W.PADDED,)),
    (3, b"\0\1\1\4", (W.REJECTION_RESERVED,)),
    (3, b"\0\3\1\1", (W.REJECTION_RESERVED,)),
    (7, b"\0\0\1\0", (W.ABORT_RESERVED,)),
    (7, b"\0\0\2\3", (W.ABORT_RESERVED,)),
    (7, b"\0\0\0\2", (W.ABORT_INSIGNIFICANT,)),
    (4, b"\0\0\0\5\1\3ab", (W.VALUE_CUT,)),
    (4, value(1, 3, b"") + b"\0", (W.VALUE_CUT,)),
    (4, b"\0\0\0\1\1\3", (W.VALUE_SHORT,)),
    (4, b"", (W.VALUE_MISSING,)),
    (4, value(1, 7, b""), (W.CONTROL_RESERVED,)),
)

#: (command set, exactly the warnings that it gets)
EARNED_BY_COMMAND: tuple[tuple[bytes, tuple[ParseWarning, ...]], ...] = (
    (bytes(16385), (W.COMMAND_OVER_LIMIT,)),
    (b"", (W.COMMAND_OTHER,)),
    (command(SOP_CLASS, element(0x0100, b"\x30\0"), RESPONDED, NO_DATA_SET, SUCCESS), (W.COMMAND_OTHER,)),
    (command(SOP_CLASS, FIELD, RESPONDED, NO_DATA_SET), (W.STATUS_MISSING,)),
    (command(FIELD, RESPONDED, NO_DATA_SET, SUCCESS), ()),
    (command(FIELD, RESPONDED, NO_DATA_SET, SUCCESS, b"\0\0\1"), (W.ELEMENT_CUT,)),
    (command(FIELD, RESPONDED, NO_DATA_SET, SUCCESS, element(0x10, b"", group=8)), (W.ELEMENT_GROUP,)),
    (command(FIELD, FIELD, RESPONDED, NO_DATA_SET, SUCCESS), (W.ELEMENT_ORDER,)),
    (command(element(0x0002, b"1.2"), FIELD, RESPONDED, NO_DATA_SET, SUCCESS), (W.ELEMENT_LENGTH,)),
    (FIELD + RESPONDED + NO_DATA_SET + SUCCESS, (W.GROUP_LENGTH,)),
    (command(FIELD, NO_DATA_SET, SUCCESS), (W.MESSAGE_ID_MISSING,)),
    (command(FIELD, RESPONDED, element(0x0800, b"\0\0"), SUCCESS), (W.DATA_SET_ANNOUNCED,)),
)


@pytest.mark.parametrize(("kind", "body", "warnings"), EARNED)
def test_what_earns_a_warning(kind: int, body: bytes, warnings: tuple[ParseWarning, ...]) -> None:
    """Bytes that break one rule get its warning and no other; sound bytes get no warning."""
    assert decode(Frame(kind, body)).warnings == warnings


@pytest.mark.parametrize(("data", "warnings"), EARNED_BY_COMMAND)
def test_what_earns_a_warning_in_a_command_set(data: bytes, warnings: tuple[ParseWarning, ...]) -> None:
    """A command set that breaks one rule gets its warning and no other."""
    assert decode_echo(data).warnings == warnings


def test_the_vocabulary_is_closed_and_earned() -> None:
    """Each warning occurs in some row above and has a one-sentence explanation."""
    rows = [warnings for *_, warnings in (*EARNED, *EARNED_BY_COMMAND)]
    assert {warning for warnings in rows for warning in warnings} == set(ParseWarning)
    assert all(member.explanation.endswith(".") for member in (*ParseWarning, *Verdict))


def test_the_page_names_them_all() -> None:
    """`docs/wire.md` lists every warning, verdict, PDU and item of the tables, and no other warning."""
    page = PAGE.read_text()
    rows = [f"| `{w.value}` | {'✗' if w in BREAKING else ''} | {w.explanation} |" for w in ParseWarning]
    assert [line for line in page.split("## Warnings")[1].splitlines() if line.startswith("| `")] == rows
    assert all(f"- `{v.value}`: {v.explanation}" in page for v in Verdict)
    assert all(f"| {kind:02X}H | {row.name} | {row.clause} | " in page for kind, row in (*PDUS.items(), *ITEMS.items()))


def test_verdicts() -> None:
    """No warning means sound, any warning odd, and a warning that breaks the layout broken."""
    assert verdict(()) is Verdict.SOUND
    assert verdict((W.PADDED,)) is Verdict.ODD
    assert {verdict((W.PADDED, warning)) for warning in BREAKING} == {Verdict.BROKEN}
    assert Malformed(W.TYPE_UNKNOWN).verdict is Verdict.BROKEN
    assert WithWarnings(warnings=(W.PADDED, W.ITEM_CUT)).fault is W.ITEM_CUT


def test_each_once() -> None:
    """A reply that repeats its faults gets each warning once, in byte order."""
    assert distinct(W.PADDED, W.ITEM_CUT, W.PADDED) == (W.PADDED, W.ITEM_CUT)
    assert decode(Frame(2, answer(APPLICATION, CONTEXT, USER, item(0x99, b"") * 3000))).warnings == (W.ITEM_UNKNOWN,)
