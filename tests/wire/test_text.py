"""Texts of a peer: sanitised, and checked against the standard's rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID

from pipeline.wire.text import TEXT_KEPT, name, text, uid
from pipeline.wire.warning import ParseWarning


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b"", ""),
        (b"1.2\0 ", "1.2"),
        (b"a\x1b\xffb", "a\ufffd\ufffdb"),
        (b"9" * 999, "9" * TEXT_KEPT),
        (b" x", " x"),
    ],
)
def test_text_is_tame(value: bytes, kept: str) -> None:
    """Control characters become U+FFFD, padding is removed, and a long text is cut."""
    assert text(value) == kept


@given(st.binary(max_size=300))
def test_any_text_is_tame(value: bytes) -> None:
    """Any bytes give a short text of printable ASCII and U+FFFD."""
    for kept in (text(value), uid(value)[0], name(value)[0]):
        assert len(kept) <= TEXT_KEPT
        assert all(" " <= character <= "~" or character == "\ufffd" for character in kept)


@given(st.text("0123456789.", max_size=70) | st.text("012.", max_size=8))
def test_uids_are_judged_as_pydicom_does(value: str) -> None:
    """A UID gets no warning exactly if pydicom considers it valid."""
    assert (uid(value.encode()) == (value, ())) == UID(value, validation_mode=0).is_valid


@pytest.mark.parametrize("judge", [uid, name])
def test_long_texts_take_no_time(judge: object) -> None:
    """A text as long as a PDU is judged in linear time: no pattern backtracks."""
    for value in (b"1" * 16000 + b"x", b"1." * 8000 + b"x", b" " * 16000 + b"\0x"):
        assert ParseWarning.UID_LONG in judge(value)[1] or ParseWarning.NAME_LONG in judge(value)[1]  # type: ignore[operator]
