"""How name servers are asked."""

import asyncio
import time

import dns.rcode
import dns.rdatatype
import pytest

from pipeline.errors import GuardError
from pipeline.guard import proof, sockets
from pipeline.outcome import Naming
from pipeline.reverse_dns.ask import Asker, Failed
from pipeline.reverse_dns.server import Server
from tests.associate.serving import free_port
from tests.reverse_dns.serving import answering, saying


def ask(asker: Asker, *names: str) -> list[object]:
    async def all_() -> list[object]:
        return await asyncio.gather(*(asker.ask(name, dns.rdatatype.A) for name in names), return_exceptions=True)

    return asyncio.run(all_())


def test_never_faster_than_the_rate() -> None:
    """However many questions wait, messages leave no closer than the rate says."""
    with saying(lambda query, _: answering(query, "A", "127.0.0.1")) as (server, asked):
        begun = time.monotonic()
        ask(Asker((server,), rate=50), *(f"h{n}.example." for n in range(20)))
    assert len(asked) == 20 and max(at for at, _ in asked) - begun >= 19 / 50


def test_retries_count_against_the_rate_and_have_an_end() -> None:
    """A question without an answer is sent three times, each message a token, and then failed."""
    with saying(lambda query, _: None) as (server, asked):
        asker = Asker((server,), rate=1000, seconds=0.05)
        (failed,) = ask(asker, "a.example.")
    assert isinstance(failed, Failed) and failed.why is Naming.TIMEOUT
    assert asker.sent == len(asked) == 3


def test_the_next_server_is_tried() -> None:
    """Where one server refuses, the next one is asked."""
    with (
        saying(lambda query, _: answering(query, "A", rcode=dns.rcode.REFUSED)) as (refusing, _),
        saying(lambda query, _: answering(query, "A", "127.0.0.1")) as (serving, asked),
    ):
        (answer,) = ask(Asker((refusing, serving), rate=1000), "a.example.")
    assert not isinstance(answer, Exception) and len(asked) == 1


def test_nobody_there() -> None:
    """A port where nobody listens is a failure at once, not a wait."""
    (failed,) = ask(Asker((Server("127.0.0.1", free_port()),), rate=1000, seconds=30), "a.example.")
    assert isinstance(failed, Failed) and failed.why is Naming.FAILED


@pytest.mark.parametrize("address", ["192.0.2.53", "8.8.8.8", "2001:db8::1"])
def test_nothing_is_asked_outside(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only testbeds are allowed no other name server is asked: not when named, and not by a socket."""
    monkeypatch.setenv(sockets.ONLY_TESTBED, "1")
    monkeypatch.delenv(proof.TESTBED, raising=False)
    with pytest.raises(GuardError, match="a DNS query to"):
        Asker((Server(address),))
    asker = Asker((Server("127.0.0.1"),), rate=1000)
    asker.servers = (Server(address),)
    (refused,) = ask(asker, "a.example.")
    assert isinstance(refused, GuardError)
