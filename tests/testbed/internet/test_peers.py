"""How simulated hosts behave."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.testbed.internet.peers import (
    BEHAVIOURS,
    CUTS,
    NAMES,
    REJECTIONS,
    converse,
    reject,
    reject_and_abort,
    slowly,
    split,
    swapped,
    twice,
)
from pipeline.wire import pdu
from pipeline.wire.fields import Abort, Accept, Reject
from pipeline.wire.outgoing import encode
from pipeline.wire.warning import Verdict

OUTGOING = encode(calling_ae="CENSUS", class_uid="2.25.1")


def decoded(stream: bytes) -> list[object]:
    """The PDUs in some bytes, which must all be sound."""
    found, unread = [], bytearray(stream)
    while isinstance(whole := pdu.frame(unread), pdu.Frame):
        del unread[: whole.size]
        found.append(pdu.decode(whole))
    assert not unread
    return found


def test_each_name_has_a_row() -> None:
    """No behaviour of a specification is without its row, and no row without a name."""
    assert set(BEHAVIOURS) == set(NAMES)


def test_hosts_that_accept_hold_a_sound_conversation() -> None:
    """The acceptance echoes our titles and is sound; a release is answered, and closed after."""
    (accepted,) = decoded(converse(OUTGOING.request, 0)[0])
    assert isinstance(accepted, Accept) and accepted.verdict is Verdict.SOUND
    assert (accepted.called_ae, accepted.calling_ae) == (b"ANY-SCP".ljust(16), b"CENSUS".ljust(16))
    assert converse(OUTGOING.release_request, 0)[1]
    assert converse(OUTGOING.abort, 0) == (b"", False)


@pytest.mark.parametrize("draw", range(len(REJECTIONS)))
def test_every_rejection_of_the_standard_is_drawn(draw: int) -> None:
    """Each result, source and reason of PS3.8 table 9-21 has a host."""
    (rejected,) = decoded(reject(OUTGOING.request, draw)[0])
    assert isinstance(rejected, Reject)
    assert (rejected.result, rejected.source, rejected.reason) == REJECTIONS[draw]


def test_two_pdus_come_at_once() -> None:
    """A rejection and an abort in one answer."""
    assert [type(each) for each in decoded(reject_and_abort(OUTGOING.request, 0)[0])] == [Reject, Abort]


@given(
    st.binary(min_size=2, max_size=CUTS),
    st.booleans(),
    st.integers(0, CUTS - 1),
    st.sampled_from([split, twice, swapped, slowly]),
)
def test_cut_answers_are_whole(data: bytes, fin: bool, draw: int, cut: object) -> None:
    """However an answer is cut, its pieces put in their places are the answer, and its end follows the last byte."""
    pieces = cut(data, fin, draw)  # type: ignore[operator]
    joined = bytearray(len(data))
    for piece in pieces:
        joined[piece.offset : piece.offset + len(piece.data)] = piece.data
    assert bytes(joined) == data
    assert [piece.offset + len(piece.data) for piece in pieces if piece.fin] == [len(data)] * sum(p.fin for p in pieces)
    assert any(piece.fin for piece in pieces) == fin


def test_answers_are_cut_at_every_byte() -> None:
    """There is a host for each place where an acceptance can be cut."""
    data = converse(OUTGOING.request, 0)[0]
    assert {split(data, False, draw)[1].offset for draw in range(CUTS)} == set(range(1, len(data)))
