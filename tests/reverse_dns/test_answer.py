"""Reading answers, within limits."""

import dns.exception
import dns.message
import dns.name
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reverse_dns import answer
from tests.reverse_dns.serving import reply_with

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
    """Only host names of RFC 1123 in lower case are accepted, however long or hostile the input."""
    assert answer.host_name(dns.name.Name(labels)) == text


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=6))
def test_any_labels_give_plain_text_or_none(labels: list[bytes]) -> None:
    """Any labels give a name of lower-case letters, digits, hyphens, underscores and dots, or none."""
    result = answer.host_name(dns.name.Name((*labels, b"")))
    assert result is None or set(result) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_a_few_of_thousands_are_kept() -> None:
    """The first eight of three thousand names are kept and all are counted."""
    result = answer.pointers(read(reply_with(QUERY, "PTR", *(f"h{n:04}.example." for n in range(3000)))))
    assert result == answer.Pointers(tuple(f"h{n:04}.example" for n in range(8)), 3000)


def test_an_alias_is_followed() -> None:
    """A reverse zone that is delegated by aliases (RFC 2317) gives its names."""
    reply = dns.message.make_response(QUERY)
    reply.answer = [
        dns.rrset.from_text(QUERY.question[0].name, 60, "IN", "CNAME", "9.0-15.0.0.127.in-addr.arpa."),
        dns.rrset.from_text("9.0-15.0.0.127.in-addr.arpa.", 60, "IN", "PTR", "a.example."),
    ]
    assert answer.pointers(read(reply)).names == ("a.example",)


@pytest.mark.parametrize("length", [1, 2, 40])
def test_alias_loops(length: int) -> None:
    """Aliases in a loop, or in a very long chain, raise DNSException."""
    names = [QUERY.question[0].name.to_text(), *(f"n{n}.example." for n in range(length - 1))]
    reply = dns.message.make_response(QUERY)
    reply.answer = [
        dns.rrset.from_text(name, 60, "IN", "CNAME", names[(n + 1) % length]) for n, name in enumerate(names)
    ]
    with pytest.raises(dns.exception.DNSException):
        answer.pointers(read(reply))


def test_records_of_others_do_not_count() -> None:
    """A record for a name other than the queried one is ignored."""
    reply = dns.message.make_response(QUERY)
    reply.answer = [dns.rrset.from_text("8.0.0.127.in-addr.arpa.", 60, "IN", "PTR", "a.example.")]
    assert answer.pointers(read(reply)) == answer.Pointers()


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Any bytes are read as a message, or raise DNSException."""
    try:
        message = dns.message.from_wire(data)
        assert answer.pointers(message).records >= 0 and len(answer.addresses(message)) >= 0
    except dns.exception.DNSException:
        pass
