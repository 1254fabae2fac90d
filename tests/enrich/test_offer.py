"""The offer of a plan's request."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.enrich.offer import Offer, offer
from pipeline.wire import outgoing
from tests.enrich.test_fingerprints import OUTGOING


def test_our_offer_is_read_back() -> None:
    """A plan's request gives back its offer."""
    result = offer(OUTGOING.request)
    assert result.contexts == {outgoing.CONTEXT_ID: outgoing.TRANSFER_SYNTAXES}
    assert result.application_context == outgoing.APPLICATION_CONTEXT
    assert (result.max_pdu, result.version_name) == (outgoing.MAX_PDU, outgoing.VERSION_NAME)
    assert result.class_uid == outgoing.class_uid("https://census.example.org/")


def test_what_is_no_request_offers_nothing() -> None:
    """Another PDU, or none, offers nothing."""
    assert offer(OUTGOING.abort) == offer(b"") == Offer({})


@given(st.binary(max_size=400))
def test_any_bytes_offer_something_or_nothing(data: bytes) -> None:
    """Any bytes give an offer, which may be empty."""
    assert isinstance(offer(data), Offer)
