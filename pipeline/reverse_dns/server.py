"""Name servers: as people write them, or those that the system is set to. None is ever assumed."""

import ipaddress
from dataclasses import dataclass

import dns.exception
import dns.resolver

from pipeline.errors import InputError

PORT = 53


@dataclass(frozen=True, slots=True)
class Server:
    """A recursive resolver: an IP address and a port."""

    host: str
    port: int = PORT

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORT else f"{host}:{self.port}"


def parse(text: str, where: str) -> Server:
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
    return Server(str(address), number)


def _split(text: str) -> tuple[str, str]:
    """Host and port of a text; an IPv6 address stands in brackets if a port follows."""
    if text.startswith("[") and "]" in text:
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":") or str(PORT)
    if text.count(":") > 1:
        return text, str(PORT)
    host, _, port = text.partition(":")
    return host, port or str(PORT)


def system() -> tuple[Server, ...]:
    """The name servers of `/etc/resolv.conf`. Raises InputError if there are none."""
    try:
        found = dns.resolver.Resolver(configure=True)
    except dns.exception.DNSException as error:
        raise InputError("the system's resolver", f"cannot be read: {error}; name one by --nameserver") from None
    servers = tuple(Server(str(host), found.port) for host in found.nameservers)
    if not servers:
        raise InputError("the system's resolver", "names no name server; name one by --nameserver")
    return servers
