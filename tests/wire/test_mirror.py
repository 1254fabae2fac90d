"""Our request, sent back as an A-ASSOCIATE-AC, is told from an acceptance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.fields import Accept
from pipeline.wire.mirror import is_mirrored
from pipeline.wire.outgoing import VERIFICATION, encode
from pipeline.wire.pdu import decode
from tests.wire.rows import ACCEPTS, cut
from tests.wire.vectors import APPLICATION, CLASS_UID, CONTEXT, LENGTH, PROPOSED, SYNTAX, associate, item

REQUEST = encode(calling_ae="CENSUS", class_uid="2.25.1").request
MIRRORED = b"\2" + REQUEST[1:]
SEVERAL = encode(calling_ae="CENSUS", class_uid="2.25.1", proposed=(VERIFICATION, "1.2.840.10008.5.1.4.31")).request
NAMED = item(0x50, LENGTH + item(0x52, b"2.25.1"))
#: A context that is answered, but with an abstract syntax, as only a request has.
HALF_ANSWERED = item(0x21, b"\1\0\0\0" + item(0x30, VERIFICATION.encode()) + SYNTAX)


def mirrored(data: bytes, request: bytes = REQUEST) -> bool:
    """Decode an A-ASSOCIATE-AC and judge it."""
    accept = decode(cut(data))
    assert isinstance(accept, Accept)
    return is_mirrored(accept, data, request)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (MIRRORED, True),
        (MIRRORED[:10] + bytes(32) + MIRRORED[42:], True),
        (MIRRORED.replace(b"\x20\0", b"\x21\0"), True),
        (MIRRORED.replace(b"2.25.1", b"1.2.34"), True),
        (MIRRORED.replace(b"DICOM_CENSUS_01", b"SOMEBODY_ELSE_1"), True),
        (MIRRORED.replace(b"\0\0\x3f\xff", b"\0\0\x40\0"), True),
        (associate(2, APPLICATION, HALF_ANSWERED, NAMED), True),
        (associate(2, APPLICATION, HALF_ANSWERED, item(0x50, LENGTH + CLASS_UID)), False),
        (associate(2, APPLICATION, PROPOSED, item(0x50, LENGTH + CLASS_UID)), False),
        (associate(2, APPLICATION, CONTEXT, NAMED), False),
        (associate(2, APPLICATION, NAMED), False),
        (associate(2), False),
    ],
)
def test_mirrors(data: bytes, expected: bool) -> None:
    """A mirror proposes contexts and has a name of ours, whatever else it changes; what has only one of the two is an answer."""
    assert mirrored(data) == expected


def test_a_mirror_of_several_contexts() -> None:
    """The request of the profile `capabilities` is known too."""
    assert mirrored(b"\2" + SEVERAL[1:], SEVERAL)


@pytest.mark.parametrize("data", ACCEPTS)
def test_no_product_is_a_mirror(data: bytes) -> None:
    """No acceptance of a real product is taken for a mirror."""
    assert not mirrored(data)


@given(st.binary(min_size=32, max_size=32))
def test_titles_do_not_count(titles: bytes) -> None:
    """Any AE titles leave the judgement as it is."""
    for data in (MIRRORED, ACCEPTS[0]):
        assert mirrored(data[:10] + titles + data[42:]) == mirrored(data)
