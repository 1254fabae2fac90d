"""The decoder of replies: known answers, real products, pynetdicom as its oracle, and any bytes."""

import json
import random
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pynetdicom import pdu as oracle

from pipeline.record import PresentationContext
from pipeline.wire import pdu
from pipeline.wire.pdu import (
    LENGTH_LIMIT,
    TEXT_KEPT,
    WARNINGS_KEPT,
    Abort,
    Accept,
    Data,
    EchoReply,
    Fragment,
    Frame,
    Malformed,
    Reject,
    ReleaseReply,
    ReleaseRequest,
    decode,
    decode_echo,
    frame,
)

FIXTURES = Path(__file__).parent.parent / "data" / "fixtures.jsonl"


def received() -> Iterator[bytes]:
    """Each reply of a real product, one PDU."""
    for line in FIXTURES.read_text().splitlines():
        yield from (bytes.fromhex(event["hex"]) for event in json.loads(line)["events"] if event["ev"] == "recv")


RECEIVED = sorted(set(received()))

SHORT = (
    ("03 00 00000004 00 01 01 07", Reject(1, 1, 7)),
    ("03 00 00000004 00 02 03 02", Reject(2, 3, 2)),
    ("03 ff 00000004 ff 09 09 09", Reject(9, 9, 9)),
    ("07 00 00000004 00 00 00 00", Abort(0, 0)),
    ("07 00 00000004 00 00 02 02", Abort(2, 2)),
    ("05 00 00000004 00000000", ReleaseRequest()),
    ("06 00 00000004 00000000", ReleaseReply()),
    ("04 00 00000008 00000004 01 03 aabb", Data((Fragment(1, True, True, b"\xaa\xbb"),))),
    (
        "04 00 0000000c 00000002 01 01 00000002 03 02",
        Data((Fragment(1, True, False, b""), Fragment(3, False, True, b""))),
    ),
)

WRONG_LENGTHS = (
    "03 00 00000005 0001010700",
    "03 00 00000000",
    "07 00 ffffffff",
    "05 00 00000000",
    "06 00 00000008 0000000000000000",
    "02 00 00000043",
    "02 00 00004000",
    "04 00 ffffffff",
)

ECHO_RSP = bytes.fromhex(
    "0000 0000 04000000 42000000"
    "0000 0200 12000000 312e322e3834302e31303030382e312e3100"
    "0000 0001 02000000 3080"
    "0000 2001 02000000 0100"
    "0000 0008 02000000 0101"
    "0000 0009 02000000 0000"
)


def item(kind: int, value: bytes) -> bytes:
    """Encode an item."""
    return struct.pack(">BBH", kind, 0, len(value)) + value


def accept(*items: bytes) -> Accept:
    """Decode an A-ASSOCIATE-AC that holds these items."""
    body = struct.pack(">HH16s16s32x", 1, 0, b"ANY-SCP".ljust(16), b"CENSUS".ljust(16)) + b"".join(items)
    whole = frame(struct.pack(">BBL", 2, 0, len(body)) + body)
    assert isinstance(whole, Frame)
    answer = decode(whole)
    assert isinstance(answer, Accept)
    return answer


CONTEXT = item(0x21, b"\1\0\0\0" + item(0x40, b"1.2.840.10008.1.2"))
USER = item(0x50, item(0x51, b"\0\0\x40\0") + item(0x52, b"1.2.3") + item(0x55, b"NAME"))
APPLICATION = item(0x10, b"1.2.840.10008.3.1.1.1")


@pytest.mark.parametrize(("text", "value"), SHORT)
def test_short_pdus(text: str, value: pdu.Pdu) -> None:
    """Each short PDU gives its fields, at whatever reserved bytes."""
    data = bytes.fromhex(text)
    whole = frame(data + b"next")
    assert isinstance(whole, Frame)
    assert (whole.size, decode(whole)) == (len(data), value)


@pytest.mark.parametrize("text", WRONG_LENGTHS)
def test_wrong_lengths(text: str) -> None:
    """A length that the type cannot have is malformed as soon as the header is there."""
    assert isinstance(frame(bytes.fromhex(text)), Malformed)


def test_claims_are_not_believed() -> None:
    """The longest PDU that is kept is waited for, one byte more is not."""
    assert frame(struct.pack(">BBL", 4, 0, LENGTH_LIMIT)) is None
    assert isinstance(frame(struct.pack(">BBL", 4, 0, LENGTH_LIMIT + 1)), Malformed)


def test_accept_known_answer() -> None:
    """A plain A-ASSOCIATE-AC gives all its fields and no warning."""
    assert accept(APPLICATION, CONTEXT, USER) == Accept(
        protocol_version=1,
        called_ae=b"ANY-SCP".ljust(16),
        calling_ae=b"CENSUS".ljust(16),
        application_context="1.2.840.10008.3.1.1.1",
        contexts=(PresentationContext(1, 0, "1.2.840.10008.1.2"),),
        max_pdu=16384,
        implementation_class_uid="1.2.3",
        implementation_version_name="NAME",
        item_order=(0x10, 0x21, 0x50, 0x51, 0x52, 0x55),
        warnings=(),
        fault=None,
    )


@pytest.mark.parametrize(
    ("items", "warning"),
    [
        ((APPLICATION, CONTEXT, USER, item(0x99, b"")), "item 99H is not expected here"),
        ((APPLICATION, CONTEXT, CONTEXT, USER, USER), "item 50H comes 2 times"),
        ((APPLICATION, USER), "item 21H is missing"),
        ((APPLICATION, item(0x21, b"\2\0\3\0"), USER), "context id 2 is even"),
        ((APPLICATION, CONTEXT, item(0x50, item(0x51, b"\1"))), "item 51H has 1 bytes, must be 4"),
        ((APPLICATION, CONTEXT, item(0x50, item(0x55, b"x" * 17))), "item 55H has 17 bytes, more than 16"),
        ((APPLICATION, CONTEXT, item(0x50, item(0x52, b"1.2\0"))), "item 52H is padded"),
        ((APPLICATION, CONTEXT, item(0x50, item(0x55, b"\x1b[2J"))), "item 55H is not printable ASCII"),
        (
            (APPLICATION, item(0x21, b"\1\0\0\0" + item(0x40, b"1") * 2), USER),
            "presentation context with 2 sub-items, must be 1",
        ),
    ],
)
def test_oddities_are_warnings(items: tuple[bytes, ...], warning: str) -> None:
    """What is odd but readable is a warning, not a fault."""
    answer = accept(*items)
    assert warning in answer.warnings
    assert answer.fault is None


@pytest.mark.parametrize(
    "broken",
    [
        b"\x21",
        b"\x21\0\0\x09\1\0\0\0",
        item(0x21, b"\1\0\0"),
        item(0x21, b"\1\0\0\0\x40\0\0\5"),
        item(0x50, b"\x51\0\0\5"),
        item(0x50, b"\x51"),
    ],
)
def test_broken_layout_is_a_fault(broken: bytes) -> None:
    """Where items do not fit into what holds them, the layout is broken and the fields before it stand."""
    answer = accept(APPLICATION, CONTEXT, broken)
    assert answer.fault is not None
    assert answer.contexts[0] == PresentationContext(1, 0, "1.2.840.10008.1.2")


def test_text_is_tame() -> None:
    """Control characters become U+FFFD, padding goes, and an endless text is cut."""
    answer = accept(item(0x10, b"1.2\0 "), item(0x50, item(0x52, b"9" * 999) + item(0x55, b"a\x1b\xffb")))
    assert answer.application_context == "1.2"
    assert answer.implementation_class_uid == "9" * TEXT_KEPT
    assert answer.implementation_version_name == "a\ufffd\ufffdb"


def test_warnings_are_bounded() -> None:
    """A reply full of unknown items earns no more warnings than are kept."""
    assert len(accept(item(0x99, b"") * 3000).warnings) == WARNINGS_KEPT


@pytest.mark.parametrize("data", ["", "00000001 01", "000000ff 01 03"])
def test_data_that_does_not_fit(data: str) -> None:
    """A P-DATA-TF without a value, or with one that does not fit, is malformed."""
    assert isinstance(decode(Frame(4, bytes.fromhex(data))), Malformed)


@pytest.mark.parametrize("kind", [0, 1, 8, 0x16, 0x48, 255])
def test_other_types(kind: int) -> None:
    """A type that no peer may answer with is malformed."""
    assert isinstance(decode(Frame(kind, b"1234")), Malformed)


def test_echo_known_answer() -> None:
    """A C-ECHO response gives its status and the message it answers."""
    assert decode_echo(ECHO_RSP) == EchoReply(0, 1)
    assert decode_echo(ECHO_RSP[:-2] + b"\x22\x01") == EchoReply(0x0122, 1)


def test_echo_cut_anywhere() -> None:
    """A C-ECHO response cut at any byte is malformed, for its status is last."""
    assert all(isinstance(decode_echo(ECHO_RSP[:end]), Malformed) for end in range(len(ECHO_RSP)))


def test_echo_of_another_command() -> None:
    """A command set that is no C-ECHO response is malformed."""
    assert decode_echo(ECHO_RSP.replace(b"\x30\x80", b"\x30\x00")) == Malformed("command field 0030H, not 8030H")


@pytest.mark.parametrize("data", RECEIVED, ids=lambda data: data.hex()[:24])
def test_real_products_decode(data: bytes) -> None:
    """What real products answer is whole and laid out as the standard says."""
    whole = frame(data)
    assert isinstance(whole, Frame)
    assert whole.size == len(data)
    answer = decode(whole)
    assert not isinstance(answer, Malformed)
    assert not isinstance(answer, Accept) or answer.fault is None


@pytest.mark.parametrize("data", RECEIVED, ids=lambda data: data.hex()[:24])
def test_real_products_are_cut_anywhere(data: bytes) -> None:
    """A reply of a real product cut at any byte is not yet a PDU; its body cut at any byte gives a value."""
    assert all(frame(data[:end]) is None for end in range(len(data)))
    assert all(isinstance(decode(Frame(data[0], data[6:end])), pdu.Pdu) for end in range(6, len(data)))


def accepted_by_oracle(data: bytes) -> oracle.A_ASSOCIATE_AC | None:
    """Decode with pynetdicom, which raises many things."""
    answer = oracle.A_ASSOCIATE_AC()
    try:
        answer.decode(data)
    except (ValueError, AssertionError, LookupError, TypeError, AttributeError, struct.error):
        return None
    return answer


def uid(value: object) -> str | None:
    """A UID as pynetdicom gives it, for comparison."""
    return None if value is None else str(value)


def compare(data: bytes) -> bool:
    """Compare with pynetdicom where both accept; say whether they did."""
    whole, theirs = frame(data), accepted_by_oracle(data)
    if theirs is None or not isinstance(whole, Frame) or whole.size != len(data):
        return False
    ours = decode(whole)
    if not isinstance(ours, Accept) or ours.fault or ours.warnings:
        return False
    primitive = theirs.user_information
    assert primitive is not None
    assert ours.protocol_version == theirs.protocol_version
    assert ours.application_context == uid(theirs.application_context_name)
    assert ours.max_pdu == primitive.maximum_length
    assert ours.implementation_class_uid == uid(primitive.implementation_class_uid)
    assert (ours.implementation_version_name or None) == (primitive.implementation_version_name or None)
    assert [(c.id, c.result) for c in ours.contexts] == [(c.context_id, c.result) for c in theirs.presentation_context]
    assert [c.transfer_syntax for c in ours.contexts] == [
        str(c.transfer_syntax or "") for c in theirs.presentation_context
    ]
    return True


def test_oracle_agrees_on_real_products() -> None:
    """Where pynetdicom accepts an A-ASSOCIATE-AC of a real product, we read the same fields."""
    assert sum(compare(data) for data in RECEIVED if data[0] == 2) >= 20


@pytest.mark.filterwarnings("ignore:.*[Ii]nvalid value for VR UI")
def test_oracle_agrees_on_mutants() -> None:
    """Where pynetdicom accepts a changed A-ASSOCIATE-AC that we find no fault with, we read the same fields."""
    chance = random.Random(20)
    accepts = [data for data in RECEIVED if data[0] == 2]

    def mutant() -> bytes:
        data = bytearray(chance.choice(accepts))
        data[chance.randrange(6, len(data))] = chance.randrange(256)
        return bytes(data)

    assert sum(compare(mutant()) for _ in range(2000)) > 100


@given(st.binary(max_size=300), st.integers(0, 255))
@example(b"\x04\0\0\0\0\0", 4)
def test_any_bytes_give_a_value(data: bytes, kind: int) -> None:
    """Any bytes give a frame or none, a PDU or what is malformed in it, and never an exception."""
    assert isinstance(frame(data), Frame | Malformed | None)
    assert isinstance(decode(Frame(kind, data)), pdu.Pdu)
    assert isinstance(decode(Frame(2, bytes(68) + data)), Accept)
    assert isinstance(decode_echo(data), EchoReply | Malformed)
