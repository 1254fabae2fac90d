"""The fast reader of ordinary acceptances: it agrees with the general reader, or declines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.associate import read_accept
from pipeline.wire.ordinary import read_ordinary
from pipeline.wire.warning import Verdict
from tests.every import every
from tests.wire.rows import ACCEPTS
from tests.wire.vectors import (
    APPLICATION,
    CLASS_UID,
    CONTEXT,
    FULL_ACCEPT,
    LENGTH,
    NAME,
    ORDINARY,
    SYNTAX,
    associate,
    item,
)

BODIES = [data[6:] for data in (*ACCEPTS, ORDINARY, FULL_ACCEPT)]


def agree(body: bytes) -> bool:
    """Whether the fast reader reads the bytes; if so, it must agree with the general reader, without a warning."""
    quick = read_ordinary(body)
    if quick is None:
        return False
    assert quick == read_accept(body)
    assert quick.verdict is Verdict.SOUND
    return True


def layout(body: bytes) -> tuple[object, ...]:
    """What the fast reader goes by: items and their lengths. Two bodies that differ only in other bytes are read the same way."""
    read = read_ordinary(body)
    assert read
    texts = (read.implementation_class_uid or "", read.implementation_version_name or "")
    answers = tuple((context.result, context.transfer_syntax) for context in read.contexts)
    return read.item_order, answers, tuple(map(len, texts))


#: One ordinary body of each layout.
ORDINARY_BODIES = {layout(body): body for body in BODIES if read_ordinary(body)}.values()


def test_real_products_are_ordinary() -> None:
    """The fast reader takes most acceptances of real products, and none that has a warning."""
    assert sum(agree(body) for body in BODIES) >= 50


@pytest.mark.parametrize("name", [b"", NAME])
@pytest.mark.parametrize("contexts", [1, 2, 8])
def test_ordinary_layouts(name: bytes, contexts: int) -> None:
    """One or many presentation contexts, with or without a version name, are ordinary."""
    answers = (item(0x21, bytes([2 * at + 1, 0, at % 5, 0]) + SYNTAX) for at in range(contexts))
    assert agree(associate(2, APPLICATION, *answers, item(0x50, LENGTH + CLASS_UID + name))[6:])


@every("body", ORDINARY_BODIES, ids=lambda body: body[:20].hex()[8:])
def test_every_byte_changed(body: bytes) -> None:
    """With any one byte changed of each layout, both readers agree or the fast reader declines."""
    for at in range(len(body)):
        for byte in (0, 1, 0x21, 0x2E, 0x30, 0x40, 0x50, 0x7F, 0xFF, body[at] ^ 1, (body[at] + 1) % 256):
            agree(body[:at] + bytes([byte]) + body[at + 1 :])


@every("body", BODIES, ids=lambda body: body[:20].hex()[8:])
def test_cut_and_trailing(body: bytes) -> None:
    """Cut at any byte, or with extra bytes, both readers agree or the fast reader declines."""
    assert not any(read_ordinary(body[:end]) for end in range(68 + len(APPLICATION) + len(CONTEXT)))
    for end in range(len(body)):
        agree(body[:end])
    assert not agree(body + b"\0")


@given(st.sampled_from(BODIES), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=5))
def test_mutants(body: bytes, changes: list[tuple[int, int]]) -> None:
    """With any few bytes changed, both readers agree or the fast reader declines."""
    mutant = bytearray(body)
    for at, byte in changes:
        mutant[at % len(mutant)] = byte
    agree(bytes(mutant))


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    """Any bytes are read or declined, and never raise."""
    agree(data)
    agree(bytes(68) + APPLICATION + data)
    agree(b"\0\1" + bytes(66) + APPLICATION + CONTEXT + data)
