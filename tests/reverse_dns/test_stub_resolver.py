"""Queries to name servers."""

import asyncio
import time

import dns.rcode
import dns.rdatatype
import pytest

from pipeline.errors import GuardError
from pipeline.guard import proof, sockets
from pipeline.outcome import Naming
from pipeline.reverse_dns.server import NameServer
from pipeline.reverse_dns.stub_resolver import QueryError, StubResolver
from tests.associate.serving import free_port
from tests.reverse_dns.serving import answering_server, reply_with


def query(resolver: StubResolver, *names: str) -> list[object]:
    async def all_() -> list[object]:
        return await asyncio.gather(*(resolver.query(name, dns.rdatatype.A) for name in names), return_exceptions=True)

    return asyncio.run(all_())


def test_never_faster_than_the_rate() -> None:
    """However many queries wait, messages are not sent faster than the rate."""
    with answering_server(lambda query, _: reply_with(query, "A", "127.0.0.1")) as (server, queries):
        started = time.monotonic()
        query(StubResolver((server,), rate=50), *(f"h{n}.example." for n in range(20)))
    assert len(queries) == 20 and max(at for at, _ in queries) - started >= 19 / 50


def test_retries_count_against_the_rate_and_have_an_end() -> None:
    """A query without an answer is sent three times, within the rate, and then fails."""
    with answering_server(lambda query, _: None) as (server, queries):
        resolver = StubResolver((server,), rate=1000, seconds=0.05)
        (failed,) = query(resolver, "a.example.")
    assert isinstance(failed, QueryError) and failed.outcome is Naming.TIMEOUT
    assert resolver.sent == len(queries) == 3


def test_the_next_server_is_tried() -> None:
    """If one server refuses, the next server is queried."""
    with (
        answering_server(lambda query, _: reply_with(query, "A", rcode=dns.rcode.REFUSED)) as (refusing, _),
        answering_server(lambda query, _: reply_with(query, "A", "127.0.0.1")) as (serving, queries),
    ):
        (answer,) = query(StubResolver((refusing, serving), rate=1000), "a.example.")
    assert not isinstance(answer, Exception) and len(queries) == 1


def test_a_closed_port() -> None:
    """A port without a listener fails at once."""
    (failed,) = query(StubResolver((NameServer("127.0.0.1", free_port()),), rate=1000, seconds=30), "a.example.")
    assert isinstance(failed, QueryError) and failed.outcome is Naming.FAILED


@pytest.mark.parametrize("address", ["192.0.2.53", "8.8.8.8", "2001:db8::1"])
def test_no_query_leaves_the_testbed(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only testbeds are allowed, no other name server can be given or reached."""
    monkeypatch.setenv(sockets.ONLY_TESTBED, "1")
    monkeypatch.delenv(proof.TESTBED, raising=False)
    with pytest.raises(GuardError, match="a DNS query to"):
        StubResolver((NameServer(address),))
    resolver = StubResolver((NameServer("127.0.0.1"),), rate=1000)
    resolver.servers = (NameServer(address),)
    (refused,) = query(resolver, "a.example.")
    assert isinstance(refused, GuardError)
