"""A stub resolver (RFC 9499): queries to recursive name servers, rate-limited, with retries, and checked by the guard."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import dns.asyncbackend
import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

from pipeline.guard import sockets
from pipeline.outcome import Naming
from pipeline.reverse_dns import answer
from pipeline.reverse_dns.server import NameServer

#: Messages per second to all servers together, retries and TCP included; 15,000 addresses take about half an hour.
RATE = 20.0
#: Attempts for one query, on the servers in turn.
TRIES = 3
#: Seconds for one attempt; a resolver that queries other servers needs a second or two.
SECONDS = 3.0
#: The largest datagram that avoids fragmentation (DNS flag day 2020).
PAYLOAD = 1232


class QueryError(Exception):
    """A query without an answer; `outcome` is that of the last attempt."""

    def __init__(self, outcome: Naming) -> None:
        super().__init__(outcome.explanation)
        self.outcome = outcome


class GuardedBackend:
    """A dnspython backend: connected sockets over asyncio, each allowed by the guard first."""

    def __init__(self) -> None:
        self._asyncio: Any = dns.asyncbackend.get_backend("asyncio")

    def name(self) -> str:
        """The name of the asynchronous library."""
        return "asyncio"

    def datagram_connection_required(self) -> bool:
        """Connect datagram sockets: they take answers only from their server, and report a closed port."""
        return True

    async def make_socket(
        self, af: int, socktype: int, proto: int, source: Any, destination: Any, timeout: float | None = None
    ) -> Any:
        """A socket to a server; without TLS, of which dnspython would give further arguments. Raises GuardError."""
        sockets.require_reach(destination[0], "a DNS query")
        return await self._asyncio.make_socket(af, socktype, proto, source, destination, timeout)

    async def sleep(self, interval: float) -> None:
        """Sleep for `interval` seconds."""
        await asyncio.sleep(interval)


class StubResolver:
    """Queries the servers in turn; `sent` counts the messages. Use it in one event loop only."""

    def __init__(
        self, servers: tuple[NameServer, ...], *, rate: float = RATE, tries: int = TRIES, seconds: float = SECONDS
    ) -> None:
        self.servers, self.sent = servers, 0
        self._gap, self._tries, self._seconds = 1 / rate, tries, seconds
        self._backend: Any = GuardedBackend()
        self._next = float("-inf")
        for server in servers:
            sockets.require_reach(server.host, "a DNS query")

    async def query(self, name: dns.name.Name | str, kind: dns.rdatatype.RdataType) -> dns.message.Message:
        """The answer: records, or that there are none. Raises QueryError or GuardError."""
        outcome = Naming.TIMEOUT
        for attempt in range(self._tries):
            request = dns.message.make_query(name, kind, use_edns=0, payload=PAYLOAD)
            try:
                message = await self._exchange(request, self.servers[attempt % len(self.servers)])
            except dns.exception.Timeout:
                outcome = Naming.TIMEOUT
            except (OSError, EOFError):
                outcome = Naming.FAILED
            except dns.exception.DNSException:
                outcome = Naming.MALFORMED
            else:
                if answer.has_answer(message):
                    return message
                outcome = Naming.FAILED
        raise QueryError(outcome)

    async def _exchange(self, request: dns.message.Message, server: NameServer) -> dns.message.Message:
        """One attempt: by UDP, then by TCP if the answer was truncated. Raises the errors of dnspython and of sockets."""
        try:
            return await self._send_paced(
                lambda: dns.asyncquery.udp(
                    request, server.host, self._seconds, server.port, ignore_unexpected=True, ignore_errors=True,
                    raise_on_truncation=True, backend=self._backend,
                )
            )  # fmt: skip
        except dns.message.Truncated:
            return await self._send_paced(
                lambda: dns.asyncquery.tcp(request, server.host, self._seconds, server.port, backend=self._backend)
            )

    async def _send_paced(self, send: Callable[[], Awaitable[dns.message.Message]]) -> dns.message.Message:
        """Wait until the rate allows a message, and send it."""
        now = asyncio.get_running_loop().time()
        at = max(now, self._next)
        self._next = at + self._gap
        await asyncio.sleep(at - now)
        self.sent += 1
        return await send()
