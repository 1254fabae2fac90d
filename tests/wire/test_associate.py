"""A-ASSOCIATE-RQ and -AC: known answers with every field, and the fields that are kept where the layout breaks."""

import pytest

from pipeline.wire.associate import read_accept, read_request
from pipeline.wire.fields import (
    Accept,
    AsynchronousOperationsWindow,
    CommonExtendedNegotiation,
    ExtendedNegotiation,
    PresentationContext,
    ProposedContext,
    Request,
    Role,
    UnknownItem,
    UserIdentity,
)
from pipeline.wire.warning import ParseWarning
from tests.wire.vectors import APPLICATION, CONTEXT, FULL_ACCEPT, FULL_REQUEST, ORDINARY, USER, associate, item

CT = "1.2.840.10008.5.1.4.1.1.2"
COMMON = {
    "protocol_version": 1,
    "called_ae": b"ANY-SCP".ljust(16),
    "calling_ae": b"CENSUS".ljust(16),
    "application_context": "1.2.840.10008.3.1.1.1",
    "max_pdu": 16384,
    "implementation_class_uid": "1.2.3",
    "implementation_version_name": "NAME",
}
NEGOTIATED = {
    "asynchronous_operations_window": AsynchronousOperationsWindow(1, 2),
    "extended_negotiation": (ExtendedNegotiation("1.2.840.10008.5.1.4.1.2.1.1", b"\1\1"),),
}


def test_plain_accept() -> None:
    """A plain A-ASSOCIATE-AC gives all its fields and no warning."""
    contexts = (PresentationContext(1, 0, "1.2.840.10008.1.2"),)
    order = (0x10, 0x21, 0x50, 0x51, 0x52, 0x55)
    assert read_accept(ORDINARY[6:]) == Accept(**COMMON, contexts=contexts, item_order=order)


def test_full_accept() -> None:
    """All sub-items that an acceptor may send in an A-ASSOCIATE-AC are read."""
    assert read_accept(FULL_ACCEPT[6:]) == Accept(
        **COMMON,
        **NEGOTIATED,
        contexts=(PresentationContext(1, 0, "1.2.840.10008.1.2"), PresentationContext(3, 3, "1.2.840.10008.1.2")),
        roles=(Role(CT, 0, 1), Role(CT, 0, 1)),
        user_identity_response=b"ticket",
        item_order=(0x10, 0x21, 0x21, 0x50, 0x51, 0x52, 0x53, 0x54, 0x54, 0x55, 0x56, 0x59),
    )


def test_full_request() -> None:
    """All sub-items that a requestor may send in an A-ASSOCIATE-RQ are read."""
    assert read_request(FULL_REQUEST[6:]) == Request(
        **COMMON,
        **NEGOTIATED,
        contexts=(ProposedContext(1, "1.2.840.10008.1.1", ("1.2.840.10008.1.2",)),),
        roles=(Role(CT, 0, 1),),
        common_extended_negotiation=(CommonExtendedNegotiation("1.2.3", "1.2.840.10008.4.2", ("1.2.4", "1.2.5")),),
        user_identity=UserIdentity(2, 1, b"user", b"pass"),
        item_order=(0x10, 0x20, 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58),
    )


@pytest.mark.parametrize(
    "broken",
    [b"\x21", b"\x21\0\0\x09\1\0\0\0", item(0x21, b"\1\0\0"), item(0x21, b"\1\0\0\0\x40\0\0\5"), b"\x50\0\xff\xff"],
)
def test_fields_before_a_break_stand(broken: bytes) -> None:
    """Where an item does not fit its container, the layout is broken and the fields before it are kept."""
    answer = read_accept(associate(2, APPLICATION, CONTEXT, broken)[6:])
    assert answer.fault in (ParseWarning.ITEM_CUT, ParseWarning.CONTEXT_CUT)
    assert answer.application_context == "1.2.840.10008.3.1.1.1"
    assert answer.contexts[0] == PresentationContext(1, 0, "1.2.840.10008.1.2")


def test_unknown_items_are_listed() -> None:
    """Items that the standard does not define are listed with their lengths, wherever they occur."""
    inner = item(0x21, b"\3\0\3\0" + item(0x41, b"x"))
    answer = read_accept(
        associate(2, APPLICATION, CONTEXT, inner, item(0x50, item(0x5A, b"ab")), item(0x99, b"abc"))[6:]
    )
    assert answer.unknown_items == (UnknownItem(0x41, 1), UnknownItem(0x5A, 2), UnknownItem(0x99, 3))
    assert answer.warnings[0] is ParseWarning.ITEM_UNKNOWN


def test_first_of_two() -> None:
    """Of a repeated item that may occur once, the first counts, and the order lists both."""
    answer = read_accept(associate(2, APPLICATION, item(0x10, b"1.2"), CONTEXT, USER, item(0x50, item(0x55, b"B")))[6:])
    assert (answer.application_context, answer.implementation_version_name) == ("1.2.840.10008.3.1.1.1", "NAME")
    assert answer.item_order == (0x10, 0x10, 0x21, 0x50, 0x51, 0x52, 0x55, 0x50, 0x55)
