"""Names of one address, asked of real name servers on loopback."""

import asyncio
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import pytest

from pipeline.outcome import Naming
from pipeline.reverse_dns import lookup
from pipeline.reverse_dns.ask import Asker
from pipeline.reverse_dns.server import Server
from tests.reverse_dns.serving import Says, answering, dnsmasq, saying

FAST = {"rate": 1000.0, "seconds": 0.5}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with dnsmasq(
        "host-record=pacs.trust.nhs.uk,127.0.0.9",
        "ptr-record=10.0.0.127.in-addr.arpa,pacs.trust.nhs.uk",
        "ptr-record=11.0.0.127.in-addr.arpa,nowhere.example",
        "ptr-record=12.0.0.127.in-addr.arpa,nowhere.example",
        "ptr-record=12.0.0.127.in-addr.arpa,here.example",
        "address=/here.example/127.0.0.12",
        "address=/nowhere.example/",
    ) as made:
        yield made


def find(server: Server, address: str, **set: float) -> lookup.Named:
    return asyncio.run(lookup.find(Asker((server,), **(FAST | set)), address))  # type: ignore[arg-type]


def test_a_name_that_leads_back(server: Server) -> None:
    """A name whose address is the one asked about is confirmed."""
    assert find(server, "127.0.0.9") == lookup.Named(outcome=Naming.CONFIRMED, names=("pacs.trust.nhs.uk",), pointers=1)


@pytest.mark.parametrize(("address", "name"), [("127.0.0.10", "pacs.trust.nhs.uk"), ("127.0.0.11", "nowhere.example")])
def test_a_name_that_anybody_may_claim(server: Server, address: str, name: str) -> None:
    """A name that leads to another address, or to none, is kept as unconfirmed."""
    assert find(server, address) == lookup.Named(outcome=Naming.UNCONFIRMED, unconfirmed=(name,), pointers=1)


def test_one_of_several_names(server: Server) -> None:
    """Of several names those that lead back are told from those that do not."""
    found = find(server, "127.0.0.12")
    assert (found.outcome, found.names, found.unconfirmed) == (
        Naming.CONFIRMED,
        ("here.example",),
        ("nowhere.example",),
    )


def test_no_name(server: Server) -> None:
    """An address without a record has no name."""
    with saying(lambda query, _: answering(query, "PTR", rcode=dns.rcode.NXDOMAIN)) as (other, _):
        assert find(other, "127.0.0.77") == lookup.Named(outcome=Naming.NO_NAME)


def zone(*names: str, leads: str = "127.0.0.9") -> Says:
    """A zone in which an address has these names, each of which leads to one address."""

    def says(query: dns.message.Message, stream: bool) -> dns.message.Message:
        kind = "PTR" if query.question[0].name.to_text().endswith("arpa.") else "A"
        if len(names) > 50 and kind == "PTR" and not stream:
            told = answering(query, kind)
            told.flags |= dns.flags.TC
            return told
        return answering(query, kind, *(names if kind == "PTR" else [leads]))

    return says


HOSTILE: dict[str, tuple[Says, Naming]] = {
    "thousands": (zone(*(f"h{n:04}.example." for n in range(3000))), Naming.CONFIRMED),
    "255 bytes": (zone(".".join(["a" * 63] * 3 + ["a" * 61]) + "."), Naming.CONFIRMED),
    "control characters": (zone(r"\027[31m\007.example."), Naming.MALFORMED),
    "script": (zone(r"<script>alert\(1\)<\/script>.example."), Naming.MALFORMED),
    "not ASCII": (zone(r"\228\246\252.example."), Naming.MALFORMED),
    "null name": (zone("."), Naming.MALFORMED),
    "alias to itself": (lambda query, _: answering(query, "CNAME", query.question[0].name.to_text()), Naming.MALFORMED),
    "refused": (lambda query, _: answering(query, "PTR", rcode=dns.rcode.REFUSED), Naming.FAILED),
    "broken": (lambda query, _: answering(query, "PTR", rcode=dns.rcode.SERVFAIL), Naming.FAILED),
    "silence": (lambda query, _: None, Naming.TIMEOUT),
    "garbage": (lambda query, _: b"\xff" * 400, Naming.TIMEOUT),
    "another's answer": (lambda query, _: answering(dns.message.make_query("a.example.", "A"), "A", "127.0.0.9"), Naming.TIMEOUT),
    "truncated for ever": (
        lambda query, stream: b"\x00" if stream else zone(*(f"h{n:04}.example." for n in range(3000)))(query, False),
        Naming.MALFORMED,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("says", "naming"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_servers(says: Says, naming: Naming) -> None:
    """Whatever a server says, in as many messages as are allowed there is one outcome and plain names."""
    patience = {} if naming is Naming.TIMEOUT else {"seconds": 10.0}  # who answers may be slow on a busy machine
    with saying(says) as (server, asked):
        found = find(server, "127.0.0.9", **patience)
    assert found.outcome == naming
    assert len(found.names) + len(found.unconfirmed) <= 8
    assert all(
        name.isascii() and name.isprintable() and len(name) <= 253 for name in (*found.names, *found.unconfirmed)
    )
    assert len(asked) <= 3 * 2 * 9


def test_a_name_whose_address_cannot_be_learned_is_asked_again() -> None:
    """Where the way back could not be asked for, the outcome says so: the name is neither confirmed nor refuted."""

    def says(query: dns.message.Message, _: bool) -> dns.message.Message | None:
        return answering(query, "PTR", "a.example.") if query.question[0].name.to_text().endswith("arpa.") else None

    with saying(says) as (server, _):
        assert find(server, "127.0.0.9") == lookup.Named(outcome=Naming.TIMEOUT, unconfirmed=("a.example",), pointers=1)
