"""What answers say, within bounds."""

import dns.exception
import dns.message
import dns.name
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reverse_dns import answer
from tests.reverse_dns.serving import answering

QUERY = dns.message.make_query("9.0.0.127.in-addr.arpa.", "PTR")


def read(message: dns.message.Message) -> dns.message.Message:
    return dns.message.from_wire(message.to_wire(max_size=65535))


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ((b"PACS", b"Trust", b"NHS", b"uk", b""), "pacs.trust.nhs.uk"),
        ((b"a_b", b"example", b""), "a_b.example"),
        ((b"xn--klnikum-8ya", b"example", b""), "xn--klnikum-8ya.example"),
        ((b"localhost", b""), "localhost"),
        ((b"",), None),
        ((b"-a", b"example", b""), None),
        ((b"a b", b"example", b""), None),
        ((b"a.b", b"example", b""), None),
        ((b"<script>", b"example", b""), None),
        ((b"\x1b[31m", b"example", b""), None),
        (("ä".encode(), b"example", b""), None),
        ((b"a\n", b"example", b""), None),
        ((b"a" * 63, b"a" * 63, b"a" * 63, b"a" * 61, b""), ".".join(["a" * 63] * 3 + ["a" * 61])),
    ],
)
def test_host_names(labels: tuple[bytes, ...], text: str | None) -> None:
    """What RFC 1123 lets a host be called, in small letters; nothing else, however long, odd or hostile."""
    assert answer.host_name(dns.name.Name(labels)) == text


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=6))
def test_any_labels_give_plain_text_or_none(labels: list[bytes]) -> None:
    """Whatever the labels, a name is of small letters, digits, hyphens, underscores and dots, or there is none."""
    found = answer.host_name(dns.name.Name((*labels, b"")))
    assert found is None or set(found) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_of_thousands_a_few_are_kept() -> None:
    """Of three thousand names the first eight are kept and all are counted."""
    found = answer.pointers(read(answering(QUERY, "PTR", *(f"h{n:04}.example." for n in range(3000)))))
    assert found == answer.Pointers(tuple(f"h{n:04}.example" for n in range(8)), 3000)


def test_an_alias_is_followed() -> None:
    """A reverse zone that is delegated by aliases (RFC 2317) gives its names."""
    told = dns.message.make_response(QUERY)
    told.answer = [
        dns.rrset.from_text(QUERY.question[0].name, 60, "IN", "CNAME", "9.0-15.0.0.127.in-addr.arpa."),
        dns.rrset.from_text("9.0-15.0.0.127.in-addr.arpa.", 60, "IN", "PTR", "a.example."),
    ]
    assert answer.pointers(read(told)).names == ("a.example",)


@pytest.mark.parametrize("length", [1, 2, 40])
def test_aliases_in_circles(length: int) -> None:
    """Aliases that lead back to themselves, or very far, are an error that is caught."""
    names = [QUERY.question[0].name.to_text(), *(f"n{n}.example." for n in range(length - 1))]
    told = dns.message.make_response(QUERY)
    told.answer = [
        dns.rrset.from_text(name, 60, "IN", "CNAME", names[(n + 1) % length]) for n, name in enumerate(names)
    ]
    with pytest.raises(dns.exception.DNSException):
        answer.pointers(read(told))


def test_records_of_others_do_not_count() -> None:
    """A record for another name than the one asked for is left out."""
    told = dns.message.make_response(QUERY)
    told.answer = [dns.rrset.from_text("8.0.0.127.in-addr.arpa.", 60, "IN", "PTR", "a.example.")]
    assert answer.pointers(read(told)) == answer.Pointers()


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Bytes are a message whose names are read, or raise what is caught."""
    try:
        message = dns.message.from_wire(data)
        assert answer.pointers(message).records >= 0 and len(answer.addresses(message)) >= 0
    except dns.exception.DNSException:
        pass
