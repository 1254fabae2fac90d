"""Framing and the table of PDUs: known answers, false lengths, any cut of the stream, any bytes."""

import itertools
import struct
import tracemalloc
from collections.abc import Iterable

from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.record.visit import RAW_LIMIT
from pipeline.wire.fields import Abort, Accept, Data, Fragment, Malformed, Pdu, Reject, ReleaseReply, ReleaseRequest
from pipeline.wire.pdu import HEADER, LENGTH_LIMIT, PDUS, Frame, PduType, decode, frame
from pipeline.wire.warning import ParseWarning, Verdict
from tests.every import every
from tests.wire.vectors import ABORT, CONTEXT, DATA, MADE, ORDINARY, REJECT, VALID, associate, item

SHORT = (
    ("03 00 00000004 00 01 01 07", Reject(1, 1, 7)),
    ("03 00 00000004 00 02 03 02", Reject(2, 3, 2)),
    ("03 ff 00000004 ff 09 09 09", Reject(9, 9, 9, warnings=(ParseWarning.REJECTION_RESERVED,))),
    ("07 00 00000004 00 00 00 00", Abort(0, 0)),
    ("07 ff 00000004 ff ff 02 02", Abort(2, 2)),
    ("05 00 00000004 00000000", ReleaseRequest()),
    ("06 00 00000004 ffffffff", ReleaseReply()),
    ("04 00 00000008 00000004 01 03 aabb", Data((Fragment(1, True, True, b"\xaa\xbb"),))),
    (
        "04 00 0000000c 00000002 01 01 00000002 03 02",
        Data((Fragment(1, True, False, b""), Fragment(3, False, True, b""))),
    ),
)

WRONG_LENGTHS = (
    ("03 00 00000005 0001010700", ParseWarning.LENGTH_OTHER),
    ("03 00 00000000", ParseWarning.LENGTH_OTHER),
    ("07 00 ffffffff", ParseWarning.LENGTH_OTHER),
    ("05 00 00000000", ParseWarning.LENGTH_OTHER),
    ("06 00 00000008 0000000000000000", ParseWarning.LENGTH_OTHER),
    ("01 00 00000000", ParseWarning.LENGTH_SHORT),
    ("02 00 00000043", ParseWarning.LENGTH_SHORT),
    ("02 00 00004000", ParseWarning.LENGTH_OVER_LIMIT),
    ("02 00 ffffffff", ParseWarning.LENGTH_OVER_LIMIT),
    ("04 00 ffffffff", ParseWarning.LENGTH_OVER_LIMIT),
    ("08 00 00000004", ParseWarning.TYPE_UNKNOWN),
    ("00 00 ffffffff", ParseWarning.TYPE_UNKNOWN),
)


def frames(segments: Iterable[bytes]) -> list[Frame | Malformed]:
    """Cut PDUs out of a stream in segments, as the conversation does, up to a malformed PDU."""
    found: list[Frame | Malformed] = []
    unread = bytearray()
    for segment in segments:
        unread += segment
        while (whole := frame(unread)) is not None:
            found.append(whole)
            if isinstance(whole, Malformed):
                return found
            del unread[: whole.size]
    return found


def peak(data: bytes) -> int:
    """The most memory that framing and decoding use, in bytes, besides the input."""
    frames([data])
    tracemalloc.start()
    for whole in frames([data]):
        _ = decode(whole) if isinstance(whole, Frame) else whole
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


@every(("text", "value"), SHORT)
def test_short_pdus(text: str, value: Pdu) -> None:
    """Each short PDU gives its fields, whatever its reserved bytes."""
    data = bytes.fromhex(text)
    whole = frame(data + b"next")
    assert isinstance(whole, Frame)
    assert (whole.size, decode(whole)) == (len(data), value)


@every(("text", "reason"), WRONG_LENGTHS)
def test_wrong_lengths(text: str, reason: ParseWarning) -> None:
    """A length that the type does not allow, or an unknown type, is malformed as soon as the header is complete."""
    data = bytes.fromhex(text)
    assert frame(data) == frame(data[:HEADER]) == Malformed(reason)
    assert all(frame(data[:end]) is None for end in range(HEADER))


def test_bodies_of_wrong_length() -> None:
    """The decoder judges lengths itself, and does not rely on framing."""
    assert decode(Frame(3, b"")) == Malformed(ParseWarning.LENGTH_OTHER)
    assert decode(Frame(2, bytes(67))) == Malformed(ParseWarning.LENGTH_SHORT)
    assert decode(Frame(2, bytes(LENGTH_LIMIT + 1))) == Malformed(ParseWarning.LENGTH_OVER_LIMIT)
    assert decode(Frame(8, b"1234")) == Malformed(ParseWarning.TYPE_UNKNOWN)


def test_claims_are_not_believed() -> None:
    """The longest allowed PDU is awaited; a PDU that is one byte longer is malformed."""
    assert frame(struct.pack(">BBL", 4, 0, LENGTH_LIMIT)) is None
    assert frame(struct.pack(">BBL", 4, 0, LENGTH_LIMIT + 1)) == Malformed(ParseWarning.LENGTH_OVER_LIMIT)


def test_the_table_is_whole() -> None:
    """The table has all seven PDUs of PS3.8 §9.3, with their clauses."""
    assert list(PDUS) == list(PduType) == list(range(1, 8))
    assert all(row.clause.startswith("PS3.8 §9.3.") for row in PDUS.values())
    assert {data[0] for data in MADE} == set(PDUS)


@every("data", MADE, ids=lambda data: data.hex()[:8])
def test_made_vectors_are_sound(data: bytes) -> None:
    """Each vector made from the standard's tables is read without a warning."""
    whole = frame(data)
    assert isinstance(whole, Frame)
    assert (decode(whole).warnings, decode(whole).verdict) == ((), Verdict.SOUND)


@every("data", VALID, ids=lambda data: data.hex()[:24])
def test_one_byte_at_a_time(data: bytes) -> None:
    """A PDU that arrives byte by byte is complete with its last byte, and is the same PDU."""
    assert frames(data[at : at + 1] for at in range(len(data))) == frames([data])
    assert all(frame(data[:end]) is None for end in range(len(data)))


@every("data", MADE, ids=lambda data: data.hex()[:8])
def test_two_pdus_split_anywhere(data: bytes) -> None:
    """Two PDUs are separated wherever the segments' boundary is, and in one segment."""
    stream = data + ABORT
    whole = frames([stream])
    assert [part.size for part in whole if isinstance(part, Frame)] == [len(data), len(ABORT)]
    assert all(frames([stream[:end], stream[end:]]) == whole for end in range(len(stream)))


@every("data", VALID, ids=lambda data: data.hex()[:24])
def test_bodies_cut_anywhere(data: bytes) -> None:
    """A PDU cut at any byte, with its length corrected, is never sound, except P-DATA-TF between two values."""
    between = {HEADER + 4 + int.from_bytes(data[6:10])} if data[0] == PduType.DATA else set()
    for end in set(range(HEADER, len(data))) - between:
        value = decode(Frame(data[0], data[HEADER:end]))
        assert isinstance(value, Pdu)
        assert value.verdict is not Verdict.SOUND


@every("data", VALID, ids=lambda data: data.hex()[:24])
def test_trailing_bytes(data: bytes) -> None:
    """Bytes after a PDU belong to the next one; inside it, with its length corrected, they break its layout."""
    whole = frame(data + b"\xff\xff\xff")
    assert isinstance(whole, Frame)
    assert whole.size == len(data)
    value = decode(Frame(data[0], data[HEADER:] + b"\xff\xff\xff"))
    assert value.verdict is Verdict.BROKEN


def test_ten_thousand_contexts() -> None:
    """A PDU that claims 10,000 presentation contexts is malformed at its header; as many contexts as fit are read."""
    assert frames([associate(2, CONTEXT * 10_000)]) == [Malformed(ParseWarning.LENGTH_OVER_LIMIT)]
    most = (LENGTH_LIMIT - 68) // len(CONTEXT)
    value = decode(Frame(2, associate(2, CONTEXT * most)[HEADER:]))
    assert isinstance(value, Accept)
    assert len(value.contexts) == most


HOSTILE = (
    associate(2, item(0x99, b"") * 4000),
    associate(2, item(0x21, b"\1\0\0\0") * 2000),
    associate(2, item(0x50, item(0x54, b"\0\1.\0\0") * 1800)),
    associate(1, item(0x20, b"\1\0\0\0" + item(0x40, b"1") * 3200)),
    associate(1, item(0x50, item(0x57, b"\0\1.\0\1.\x3e\x80" + b"\0\0" * 8000))),
    struct.pack(">BBL", 4, 0, 12_000) + struct.pack(">LBB", 2, 1, 1) * 2000,
    struct.pack(">BBL", 4, 0, 2**32 - 1) + bytes(100_000),
)


@every("data", HOSTILE, ids=lambda data: data.hex()[:8])
def test_memory_is_bounded(data: bytes) -> None:
    """Reading any PDU, whatever lengths it claims and however many items it has, takes less than 2 MiB."""
    assert peak(data) < 2 * 1024 * 1024


def test_no_item_is_read_more_than_the_limit() -> None:
    """No field has more bytes than we keep of a reply."""
    assert HEADER + LENGTH_LIMIT == RAW_LIMIT == 16 * 1024


@given(st.binary(max_size=300), st.integers(0, 255))
@example(b"\x04\0\0\0\0\0", 4)
def test_any_bytes_give_a_value(data: bytes, kind: int) -> None:
    """Any bytes give a frame or none, and a PDU with a verdict, and never raise."""
    assert isinstance(frame(data), Frame | Malformed | None)
    value = decode(Frame(kind, data))
    assert isinstance(value, Pdu)
    assert (value.verdict is Verdict.BROKEN) == (value.fault is not None)
    assert isinstance(decode(Frame(2, bytes(68) + data)), Accept)


@given(st.lists(st.sampled_from([ORDINARY, REJECT, ABORT, DATA]), max_size=4).map(b"".join), st.data())
def test_any_segments_give_the_same(stream: bytes, draw: st.DataObject) -> None:
    """However a stream is cut into segments, the same PDUs result."""
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    edges = [0, *cuts, len(stream)]
    assert frames(stream[a:b] for a, b in itertools.pairwise(edges)) == frames([stream])
