"""Whether the measured can find who measures: the source's reverse DNS, the page and the probe description (RFC 9511)."""

import asyncio
import ipaddress
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

import httpx

from pipeline.attribution import probing_txt
from pipeline.config import IdentitySection
from pipeline.errors import InputError
from pipeline.guard import sockets
from pipeline.reverse_dns import lookup, server
from pipeline.reverse_dns.ask import Asker

SECONDS = 5.0
#: Bytes of a page that are read; a description is shorter.
MOST = 1 << 18
REDIRECTS = 5


def findings(identity: IdentitySection, *sources: str) -> Iterator[str]:
    """Yield what the measured would not find, a sentence each; nothing if all is in place.

    `sources` are the addresses that probes come from. Raises GuardError where nothing may be asked.
    """
    named = {}
    for source in sources:
        named[source] = yield from _names(identity.resolver, source)
    page = yield from _fetch(identity.url)
    if page is not None and identity.contact not in page:
        yield f"the page {identity.url} does not show the contact {identity.contact}"
    at = probing_txt.origin(identity.url) + probing_txt.PATH
    text = yield from _fetch(at)
    if text is not None:
        yield from (f"{at}: {fault}" for fault in probing_txt.faults(probing_txt.read(text), datetime.now(UTC)))
    shown = (urlsplit(identity.url).hostname or "").rstrip(".").lower()
    for source, names in named.items():
        if names and shown not in {*names, source}:
            yield (
                f"the reverse DNS of {source} is {', '.join(sorted(names))}, where scanned networks look for {probing_txt.PATH} "
                f"(RFC 9511 §4), but the page is on {shown}"
            )


def _names(resolver: str, source: str) -> Generator[str, None, set[str]]:
    """The names of an address that lead back to it; yield what is wrong with them."""
    servers = (server.parse(resolver, "key identity.resolver"),) if resolver else server.system()
    named = asyncio.run(lookup.find(Asker(servers, seconds=SECONDS), source))
    if not named.names and not named.unconfirmed:
        yield f"{source} has no name in reverse DNS; have its zone's operator add a PTR record that names the measurement"
    for name in named.unconfirmed:
        yield f"the reverse DNS of {source} is {name}, which does not lead back to it"
    return set(named.names)


def _fetch(url: str) -> Generator[str, None, str | None]:
    """The text behind a URL; yield why there is none."""
    try:
        with httpx.Client(timeout=SECONDS, trust_env=False) as client:
            return _follow(client, url)
    except httpx.HTTPStatusError as error:
        yield f"{url} cannot be read: it answers {error.response.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        yield f"{url} cannot be read: {str(error) or type(error).__name__}"
    return None


def _follow(client: httpx.Client, url: str) -> str:
    """The text at the end of a few redirects. Raises httpx.HTTPError."""
    for _ in range(REDIRECTS):
        sockets.require_reach(urlsplit(url).hostname or "", "a request")
        with client.stream("GET", url) as answer:
            if not answer.is_redirect:
                answer.raise_for_status()
                return _head(answer)
            url = urljoin(url, answer.headers.get("location", ""))
    raise httpx.TooManyRedirects(f"more than {REDIRECTS} redirects")


def _head(answer: httpx.Response) -> str:
    taken = bytearray()
    for piece in answer.iter_bytes():
        taken += piece
        if len(taken) >= MOST:
            break
    return bytes(taken[:MOST]).decode("utf-8", "replace")


def address(text: str) -> str:
    """An IPv4 address as given. Raises InputError."""
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise InputError("--source", f"{text!r} is not an IPv4 address (e.g. 192.0.2.7)") from None
