"""The behaviours of simulated hosts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.testbed.internet.peers import (
    BEHAVIOURS,
    CUT_VARIANTS,
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
    """The PDUs in a stream, which must be complete."""
    pdus, unread = [], bytearray(stream)
    while isinstance(cut_pdu := pdu.frame(unread), pdu.Frame):
        del unread[: cut_pdu.size]
        pdus.append(pdu.decode(cut_pdu))
    assert not unread
    return pdus


def test_each_name_has_a_row() -> None:
    """Every behaviour name has a row, and every row has a name."""
    assert set(BEHAVIOURS) == set(NAMES)


def test_hosts_that_accept_are_sound() -> None:
    """The acceptance is sound and returns our titles; a release is answered, and the connection is closed."""
    (accepted,) = decoded(converse(OUTGOING.request, 0)[0])
    assert isinstance(accepted, Accept) and accepted.verdict is Verdict.SOUND
    assert (accepted.called_ae, accepted.calling_ae) == (b"ANY-SCP".ljust(16), b"CENSUS".ljust(16))
    assert converse(OUTGOING.release_request, 0)[1]
    assert converse(OUTGOING.abort, 0) == (b"", False)


@pytest.mark.parametrize("variant", range(len(REJECTIONS)))
def test_every_rejection_of_the_standard_has_a_host(variant: int) -> None:
    """Each result, source and reason of PS3.8 Table 9-21 has a variant."""
    (rejected,) = decoded(reject(OUTGOING.request, variant)[0])
    assert isinstance(rejected, Reject)
    assert (rejected.result, rejected.source, rejected.reason) == REJECTIONS[variant]


def test_two_pdus_come_at_once() -> None:
    """A rejection and an abort arrive in one answer."""
    assert [type(decoded_pdu) for decoded_pdu in decoded(reject_and_abort(OUTGOING.request, 0)[0])] == [Reject, Abort]


@given(
    st.binary(min_size=2, max_size=CUT_VARIANTS),
    st.booleans(),
    st.integers(0, CUT_VARIANTS - 1),
    st.sampled_from([split, twice, swapped, slowly]),
)
def test_cut_answers_are_whole(data: bytes, fin: bool, variant: int, cut: object) -> None:
    """However an answer is cut, its pieces at their offsets form the answer, and the FIN follows the last byte."""
    pieces = cut(data, fin, variant)  # type: ignore[operator]
    joined = bytearray(len(data))
    for piece in pieces:
        joined[piece.offset : piece.offset + len(piece.data)] = piece.data
    assert bytes(joined) == data
    assert [piece.offset + len(piece.data) for piece in pieces if piece.fin] == [len(data)] * sum(p.fin for p in pieces)
    assert any(piece.fin for piece in pieces) == fin


def test_answers_are_cut_at_every_byte() -> None:
    """There is a variant for each place where an acceptance can be cut."""
    data = converse(OUTGOING.request, 0)[0]
    assert {split(data, False, variant)[1].offset for variant in range(CUT_VARIANTS)} == set(range(1, len(data)))
