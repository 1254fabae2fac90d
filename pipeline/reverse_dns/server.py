"""Name servers: as given by the user, or those of the system's configuration. There is no default."""

import ipaddress
from dataclasses import dataclass

import dns.exception
import dns.resolver

from pipeline.errors import InputError

PORT = 53


@dataclass(frozen=True, slots=True)
class NameServer:
    """A recursive resolver: an IP address and a port."""

    host: str
    port: int = PORT

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORT else f"{host}:{self.port}"


def parse(text: str, where: str) -> NameServer:
    """Read `IP`, `IP:PORT` or `[IPv6]:PORT`. Raises InputError naming `where`."""
    host, port = _split(text)
    try:
        address, number = ipaddress.ip_address(host), int(port)
    except ValueError:
        raise InputError(
            where, f"{text!r} is not the address of a name server; write e.g. 192.0.2.53 or 192.0.2.53:5353"
        ) from None
    if not 0 < number < 1 << 16:
        raise InputError(where, f"{text!r} has no port between 1 and 65535")
    return NameServer(str(address), number)


def _split(text: str) -> tuple[str, str]:
    """Split a text into host and port; an IPv6 address with a port is in brackets."""
    if text.startswith("[") and "]" in text:
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":") or str(PORT)
    if text.count(":") > 1:
        return text, str(PORT)
    host, _, port = text.partition(":")
    return host, port or str(PORT)


def system_servers() -> tuple[NameServer, ...]:
    """The name servers of `/etc/resolv.conf`. Raises InputError if there are none."""
    try:
        configured = dns.resolver.Resolver(configure=True)
    except dns.exception.DNSException as error:
        raise InputError("the system's resolver", f"cannot be read: {error}; name one with --nameserver") from None
    servers = tuple(NameServer(str(host), configured.port) for host in configured.nameservers)
    if not servers:
        raise InputError("the system's resolver", "has no name server; name one with --nameserver")
    return servers
