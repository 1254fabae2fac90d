"""Proxy variables of the environment: none applies to Prefect's server on loopback."""

import ipaddress
import re
from collections.abc import MutableMapping
from importlib.util import find_spec
from urllib.parse import urlsplit

from pipeline.errors import CensusError

#: Hosts that no proxy can reach: this machine itself.
LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: Both spellings are read, and the lower-case one outranks the other (urllib.request.getproxies).
NO_PROXY = ("no_proxy", "NO_PROXY")
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
#: The package without which httpx, Prefect's client, refuses to start where a variable names a SOCKS proxy, whatever NO_PROXY says.
SOCKS = "socksio"
#: An IPv6 address in brackets, which other programs take; httpx ends at its colons, and takes it without brackets and port.
_BRACKETS = re.compile(r"\[([^\]]*)\](?::\d*)?")


def exempt_loopback(environ: MutableMapping[str, str]) -> None:
    """Add loopback to the hosts that are reached without a proxy, and write these as Prefect's client can read them."""
    hosts = [_BRACKETS.sub(r"\1", host.strip()) for name in NO_PROXY for host in environ.get(name, "").split(",")]
    extended = ",".join(dict.fromkeys([*filter(None, hosts), *LOOPBACK]))
    environ.update(dict.fromkeys(NO_PROXY, extended))


def drop_unusable(environ: MutableMapping[str, str], server: str) -> None:
    """Remove the variables of SOCKS proxies if httpx cannot use any. Raises CensusError if `server` is on another machine."""
    if find_spec(SOCKS):
        return
    names = [name for name in environ if name.lower() in PROXIES and environ[name].startswith("socks")]
    if names and not is_loopback(server):
        raise CensusError(
            f"{names[0]} names a SOCKS proxy, which Prefect's client cannot use: install the package {SOCKS}, "
            f"or unset {names[0]}"
        )
    for name in names:
        del environ[name]


def is_loopback(url: str) -> bool:
    """Whether the host of a URL is this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in LOOPBACK
