"""What is read from kept bytes alone."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.enrich import octets
from pipeline.wire import outgoing
from tests.enrich.test_fingerprints import OUTGOING, captures


def test_our_offer_is_read_back() -> None:
    """A plan's request gives back what it proposes."""
    offer = octets.offer(OUTGOING.request)
    assert offer.contexts == {outgoing.CONTEXT_ID: outgoing.TRANSFER_SYNTAXES}
    assert offer.application_context == outgoing.APPLICATION_CONTEXT
    assert (offer.max_pdu, offer.version_name) == (outgoing.MAX_PDU, outgoing.VERSION_NAME)
    assert offer.class_uid == outgoing.class_uid("https://census.example.org/")


def test_only_dicompot_leaves_out_the_sop_class() -> None:
    """Real products that answered a C-ECHO all name its SOP class, the honeypot does not."""
    answered = {}
    for name, events in captures("01").items():
        found = octets.echo_elements(b"".join(data for kind, data in events if kind == "recv"))
        if found:
            answered[name] = 0x0002 in found
    assert len(answered) >= 9
    assert {name for name, named in answered.items() if not named} == {"honeypot-dicompot", "honeypot-dicompot-enforce"}


def test_no_captured_product_sets_reserved_fields() -> None:
    """The reserved bytes of every captured A-ASSOCIATE-AC are 0; one that is not is seen."""
    accepts = [data for events in captures("01").values() for kind, data in events if kind == "recv" and data[0] == 2]
    assert accepts and not any(map(octets.reserved_set, accepts))
    for place in (1, 8, 9, 42, 73):
        assert octets.reserved_set(accepts[0][:place] + b"\1" + accepts[0][place + 1 :])
    assert octets.reserved_set(b"\3\0\0\0\0\4\0\1\1\7") is None


@given(st.binary(max_size=400))
def test_any_bytes_are_walked(data: bytes) -> None:
    """Any bytes, whole or cut, are walked to their end without an exception."""
    octets.offer(data)
    octets.reserved_set(data)
    octets.echo_elements(b"\4\0" + len(data).to_bytes(4) + data)
    assert octets.echo_elements(data) is None or data[:1]


def test_cut_anywhere() -> None:
    """A real conversation cut at any byte is walked to where it ends."""
    raw = b"".join(data for kind, data in captures("01")["conquest-1.5.0"] if kind == "recv")
    for end in range(len(raw)):
        assert octets.echo_elements(raw[:end]) in (None, octets.echo_elements(raw))
