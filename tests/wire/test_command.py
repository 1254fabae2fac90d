"""The command set of a C-ECHO-RSP: known answers, every cut, any bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynetdicom.dimse_messages import C_ECHO_RSP
from pynetdicom.dimse_primitives import C_ECHO

from pipeline.wire.command import ELEMENTS, decode_echo, read_echo, read_ordinary_echo
from pipeline.wire.fields import EchoReply, Malformed
from pipeline.wire.warning import ParseWarning, Verdict
from tests.wire.vectors import ECHO_RSP, FIELD, NO_DATA_SET, RESPONDED, SOP_CLASS, command, element

VERIFICATION = "1.2.840.10008.1.1"
ALL = (0x0000, 0x0002, 0x0100, 0x0120, 0x0800, 0x0900)


def test_known_answer() -> None:
    """A C-ECHO-RSP gives its status, the answered message, its SOP class and its elements."""
    assert decode_echo(ECHO_RSP) == EchoReply(0, 1, VERIFICATION, ALL)
    assert tuple(ELEMENTS) == ALL


@pytest.mark.parametrize("status", [0x0000, 0x0122, 0x0210, 0x0211, 0x0212, 0xFFFF])
def test_any_status(status: int) -> None:
    """Every status is read as sent."""
    data = command(SOP_CLASS, FIELD, RESPONDED, NO_DATA_SET, element(0x0900, status.to_bytes(2, "little")))
    assert decode_echo(data) == EchoReply(status, 1, VERIFICATION, ALL)


@given(st.integers(0, 65535), st.sampled_from([0x0000, 0x0122, 0x0210, 0x0211, 0x0212]), st.booleans())
def test_what_pynetdicom_encodes(message: int, status: int, named: bool) -> None:
    """Any response that pynetdicom encodes is read with the same values, without a warning."""
    reply = C_ECHO()
    reply.MessageIDBeingRespondedTo, reply.Status = message, status
    reply.AffectedSOPClassUID = VERIFICATION if named else None
    whole = C_ECHO_RSP()
    whole.primitive_to_message(reply)
    (data,) = whole.encode_msg(1, 16382)
    ours = decode_echo(data.presentation_data_value_list[0][1][1:])
    assert isinstance(ours, EchoReply)
    assert (ours.status, ours.message_id, ours.warnings) == (status, message, ())
    assert ours.sop_class_uid == (VERIFICATION if named else None)


def test_cut_anywhere() -> None:
    """A C-ECHO-RSP cut at any byte is malformed, since its status is last."""
    assert all(isinstance(decode_echo(ECHO_RSP[:end]), Malformed) for end in range(len(ECHO_RSP)))


@pytest.mark.parametrize("more", [b"\0", b"\0\0\0\0\0\0\0", b"\xff" * 12])
def test_trailing_bytes(more: bytes) -> None:
    """Bytes after a C-ECHO-RSP that are not an element break its layout; the fields before them are kept."""
    reply = decode_echo(ECHO_RSP + more)
    assert isinstance(reply, EchoReply)
    assert (reply.status, reply.verdict) == (0, Verdict.BROKEN)


def test_first_of_two() -> None:
    """Of a repeated element the first counts."""
    data = ECHO_RSP + element(0x0900, b"\x22\1")
    assert decode_echo(data) == EchoReply(
        0, 1, VERIFICATION, (*ALL, 0x0900), warnings=(ParseWarning.ELEMENT_ORDER, ParseWarning.GROUP_LENGTH)
    )


@given(st.binary(max_size=300), st.integers(0, len(ECHO_RSP)))
def test_any_bytes_give_a_value(data: bytes, at: int) -> None:
    """Any bytes, alone, after or inside a response, give a reply or the reason why it is malformed."""
    for candidate in (data, ECHO_RSP + data, ECHO_RSP[:at] + data + ECHO_RSP[at:]):
        assert isinstance(decode_echo(candidate), EchoReply | Malformed)


def agree(data: bytes) -> bool:
    """Whether the fast reader reads the bytes; if so, it must agree with the general reader, without a warning."""
    quick = read_ordinary_echo(data)
    if quick is None:
        return False
    assert quick == read_echo(data)
    assert quick.verdict is Verdict.SOUND
    return True


def test_the_quick_reader_reads_what_the_general_one_reads() -> None:
    """With any byte changed, cut anywhere or with an extra byte, both readers agree or the fast reader declines."""
    assert agree(ECHO_RSP)
    changed = [agree(ECHO_RSP[:at] + bytes([byte]) + ECHO_RSP[at + 1 :]) for at in range(78) for byte in range(256)]
    assert sum(changed) == 4 * 256 + 74  # two bytes each of message id and status, and places where nothing was changed
    assert not any(agree(ECHO_RSP[:end]) for end in range(len(ECHO_RSP)))
    assert not agree(ECHO_RSP + b"\0")
