"""Questions to name servers: few at once, evenly spaced, each tried a few times, and only where the guard lets them go."""

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
from pipeline.reverse_dns.server import Server

#: Messages a second to all servers together, retries and TCP included; 15,000 addresses take some half an hour.
RATE = 20.0
#: Tries for one question, one server after the other.
TRIES = 3
#: Seconds for one try; a resolver that has to ask others needs a second or two.
SECONDS = 3.0
#: Bytes that a datagram may have: no fragments (DNS flag day 2020).
PAYLOAD = 1232


class Failed(Exception):
    """A question without an answer; `why` is how the last try ended."""

    def __init__(self, why: Naming) -> None:
        super().__init__(why.explanation)
        self.why = why


class Guarded:
    """A backend of dnspython: its sockets over asyncio, connected ones, each let through by the guard first."""

    def __init__(self) -> None:
        self._own: Any = dns.asyncbackend.get_backend("asyncio")

    def name(self) -> str:
        """The library that waits."""
        return "asyncio"

    def datagram_connection_required(self) -> bool:
        """A connected socket takes nothing from others than its server, and learns that nobody is there."""
        return True

    async def make_socket(
        self,
        af: int,
        socktype: int,
        proto: int = 0,
        source: Any = None,
        destination: Any = None,
        timeout: float | None = None,
        ssl_context: Any = None,
        server_hostname: str | None = None,
    ) -> Any:
        """A socket to a server. Raises GuardError where nothing may be sent."""
        sockets.require_reach(destination[0], "a DNS query")
        return await self._own.make_socket(
            af, socktype, proto, source, destination, timeout, ssl_context, server_hostname
        )

    async def sleep(self, interval: float) -> None:
        """Wait so many seconds."""
        await asyncio.sleep(interval)


class Asker:
    """Asks the servers in turn; `sent` counts the messages. Belongs to the event loop that it is used in."""

    def __init__(
        self, servers: tuple[Server, ...], *, rate: float = RATE, tries: int = TRIES, seconds: float = SECONDS
    ) -> None:
        self.servers, self.sent = servers, 0
        self._gap, self._tries, self._seconds = 1 / rate, tries, seconds
        self._backend: Any = Guarded()
        self._next = float("-inf")
        for server in servers:
            sockets.require_reach(server.host, "a DNS query")

    async def ask(self, name: dns.name.Name | str, kind: dns.rdatatype.RdataType) -> dns.message.Message:
        """An answer that says what is there, or that nothing is. Raises Failed or GuardError."""
        why = Naming.TIMEOUT
        for number in range(self._tries):
            query = dns.message.make_query(name, kind, use_edns=0, payload=PAYLOAD)
            try:
                message = await self._exchange(query, self.servers[number % len(self.servers)])
            except dns.exception.Timeout:
                why = Naming.TIMEOUT
            except (OSError, EOFError):
                why = Naming.FAILED
            except dns.exception.DNSException:
                why = Naming.MALFORMED
            else:
                if answer.has_answer(message):
                    return message
                why = Naming.FAILED
        raise Failed(why)

    async def _exchange(self, query: dns.message.Message, server: Server) -> dns.message.Message:
        """One try: by UDP, and by TCP where the answer is too long for a datagram. Raises what dnspython and sockets raise."""
        try:
            return await self._sent(
                lambda: dns.asyncquery.udp(
                    query, server.host, self._seconds, server.port, ignore_unexpected=True, ignore_errors=True,
                    raise_on_truncation=True, backend=self._backend,
                )
            )  # fmt: skip
        except dns.message.Truncated:
            return await self._sent(
                lambda: dns.asyncquery.tcp(query, server.host, self._seconds, server.port, backend=self._backend)
            )

    async def _sent(self, send: Callable[[], Awaitable[dns.message.Message]]) -> dns.message.Message:
        """Wait for a token of the bucket, which holds one, and send."""
        now = asyncio.get_running_loop().time()
        at = max(now, self._next)
        self._next = at + self._gap
        await asyncio.sleep(at - now)
        self.sent += 1
        return await send()
