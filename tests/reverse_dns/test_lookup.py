"""The names of one address, from real name servers on loopback."""

import asyncio
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import pytest

from pipeline.outcome import Naming
from pipeline.reverse_dns import lookup
from pipeline.reverse_dns.server import NameServer
from pipeline.reverse_dns.stub_resolver import StubResolver
from tests.reverse_dns.serving import Answer, answering_server, dnsmasq, reply_with

FAST = {"rate": 1000.0, "seconds": 0.5}


@pytest.fixture(scope="module")
def server() -> Iterator[NameServer]:
    with dnsmasq(
        "host-record=pacs.trust.nhs.uk,127.0.0.9",
        "ptr-record=10.0.0.127.in-addr.arpa,pacs.trust.nhs.uk",
        "ptr-record=11.0.0.127.in-addr.arpa,nowhere.example",
        "ptr-record=12.0.0.127.in-addr.arpa,nowhere.example",
        "ptr-record=12.0.0.127.in-addr.arpa,here.example",
        "address=/here.example/127.0.0.12",
        "address=/nowhere.example/",
    ) as name_server:
        yield name_server


def look_up(server: NameServer, address: str, **set: float) -> lookup.HostNames:
    return asyncio.run(lookup.look_up(StubResolver((server,), **(FAST | set)), address))  # type: ignore[arg-type]


def test_a_confirmed_name(server: NameServer) -> None:
    """A name that resolves back to the address is confirmed."""
    assert look_up(server, "127.0.0.9") == lookup.HostNames(
        outcome=Naming.CONFIRMED, names=("pacs.trust.nhs.uk",), pointers=1
    )


@pytest.mark.parametrize(("address", "name"), [("127.0.0.10", "pacs.trust.nhs.uk"), ("127.0.0.11", "nowhere.example")])
def test_an_unconfirmed_name(server: NameServer, address: str, name: str) -> None:
    """A name that resolves to another address, or to no address, is kept as unconfirmed."""
    assert look_up(server, address) == lookup.HostNames(outcome=Naming.UNCONFIRMED, unconfirmed=(name,), pointers=1)


def test_one_of_several_names(server: NameServer) -> None:
    """Of several names, the confirmed names are separated from the others."""
    names = look_up(server, "127.0.0.12")
    assert (names.outcome, names.names, names.unconfirmed) == (
        Naming.CONFIRMED,
        ("here.example",),
        ("nowhere.example",),
    )


def test_no_name(server: NameServer) -> None:
    """An address without a record has no name."""
    with answering_server(lambda query, _: reply_with(query, "PTR", rcode=dns.rcode.NXDOMAIN)) as (other, _):
        assert look_up(other, "127.0.0.77") == lookup.HostNames(outcome=Naming.NO_NAME)


def zone(*names: str, resolves_to: str = "127.0.0.9") -> Answer:
    """A zone in which an address has these names, all of which resolve to one address."""

    def answer(query: dns.message.Message, stream: bool) -> dns.message.Message:
        kind = "PTR" if query.question[0].name.to_text().endswith("arpa.") else "A"
        if len(names) > 50 and kind == "PTR" and not stream:
            reply = reply_with(query, kind)
            reply.flags |= dns.flags.TC
            return reply
        return reply_with(query, kind, *(names if kind == "PTR" else [resolves_to]))

    return answer


HOSTILE: dict[str, tuple[Answer, Naming]] = {
    "thousands": (zone(*(f"h{n:04}.example." for n in range(3000))), Naming.CONFIRMED),
    "255 bytes": (zone(".".join(["a" * 63] * 3 + ["a" * 61]) + "."), Naming.CONFIRMED),
    "control characters": (zone(r"\027[31m\007.example."), Naming.MALFORMED),
    "script": (zone(r"<script>alert\(1\)<\/script>.example."), Naming.MALFORMED),
    "not ASCII": (zone(r"\228\246\252.example."), Naming.MALFORMED),
    "null name": (zone("."), Naming.MALFORMED),
    "alias to itself": (lambda query, _: reply_with(query, "CNAME", query.question[0].name.to_text()), Naming.MALFORMED),
    "refused": (lambda query, _: reply_with(query, "PTR", rcode=dns.rcode.REFUSED), Naming.FAILED),
    "broken": (lambda query, _: reply_with(query, "PTR", rcode=dns.rcode.SERVFAIL), Naming.FAILED),
    "silence": (lambda query, _: None, Naming.TIMEOUT),
    "garbage": (lambda query, _: b"\xff" * 400, Naming.TIMEOUT),
    "another's answer": (lambda query, _: reply_with(dns.message.make_query("a.example.", "A"), "A", "127.0.0.9"), Naming.TIMEOUT),
    "truncated for ever": (
        lambda query, stream: b"\x00" if stream else zone(*(f"h{n:04}.example." for n in range(3000)))(query, False),
        Naming.MALFORMED,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "naming"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_servers(answer: Answer, naming: Naming) -> None:
    """Any server leads to one outcome and plain names, within the allowed number of messages."""
    patience = {} if naming is Naming.TIMEOUT else {"seconds": 10.0}  # a server may be slow on a busy machine
    with answering_server(answer) as (server, queries):
        names = look_up(server, "127.0.0.9", **patience)
    assert names.outcome == naming
    assert len(names.names) + len(names.unconfirmed) <= 8
    assert all(
        name.isascii() and name.isprintable() and len(name) <= 253 for name in (*names.names, *names.unconfirmed)
    )
    assert len(queries) <= 3 * 2 * 9


def test_a_failed_confirmation() -> None:
    """A failed forward lookup gives its own outcome: the name is neither confirmed nor refuted."""

    def answer(query: dns.message.Message, _: bool) -> dns.message.Message | None:
        return reply_with(query, "PTR", "a.example.") if query.question[0].name.to_text().endswith("arpa.") else None

    with answering_server(answer) as (server, _):
        assert look_up(server, "127.0.0.9") == lookup.HostNames(
            outcome=Naming.TIMEOUT, unconfirmed=("a.example",), pointers=1
        )
