"""Check that scanned networks can find out who scans: the source's reverse DNS, the page and probing.txt (RFC 9511)."""

import asyncio
import ipaddress
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

import httpx

from pipeline.attribution import probing_txt
from pipeline.config.sections import IdentitySection
from pipeline.errors import InputError
from pipeline.guard import sockets
from pipeline.reverse_dns import lookup, server
from pipeline.reverse_dns.stub_resolver import StubResolver

SECONDS = 5.0
#: Bytes of a page that are read.
PAGE_LIMIT = 1 << 18
REDIRECTS = 5


def findings(identity: IdentitySection, *sources: str) -> Iterator[str]:
    """Yield a sentence for each piece of information that scanned networks would not find; nothing if all is in place.

    `sources` are the addresses that probes come from. Raises GuardError where no request may be sent.
    """
    names_by_source = {}
    for source in sources:
        names_by_source[source] = yield from _names(identity.resolver, source)
    page = yield from _fetch(identity.url)
    if page is not None and identity.contact not in page:
        yield f"the page {identity.url} does not show the contact {identity.contact}"
    location = probing_txt.origin(identity.url) + probing_txt.PATH
    text = yield from _fetch(location)
    if text is not None:
        yield from (f"{location}: {fault}" for fault in probing_txt.faults(probing_txt.read(text), datetime.now(UTC)))
    page_host = (urlsplit(identity.url).hostname or "").rstrip(".").lower()
    for source, names in names_by_source.items():
        if names and page_host not in {*names, source}:
            yield (
                f"the reverse DNS of {source} is {', '.join(sorted(names))}, where scanned networks look for {probing_txt.PATH} "
                f"(RFC 9511 §4), but the page is on {page_host}"
            )


def _names(resolver: str, source: str) -> Generator[str, None, set[str]]:
    """The confirmed names of an address; yield a sentence for each fault."""
    servers = (server.parse(resolver, "key identity.resolver"),) if resolver else server.system_servers()
    host_names = asyncio.run(lookup.look_up(StubResolver(servers, seconds=SECONDS), source))
    if not host_names.names and not host_names.unconfirmed:
        yield f"{source} has no name in reverse DNS; ask its zone's operator for a PTR record that names the measurement"
    for name in host_names.unconfirmed:
        yield f"the reverse DNS of {source} is {name}, which does not resolve back to it"
    return set(host_names.names)


def _fetch(url: str) -> Generator[str, None, str | None]:
    """The text at a URL; yield a sentence if it cannot be read."""
    try:
        with httpx.Client(timeout=SECONDS, trust_env=False) as client:
            return _follow(client, url)
    except httpx.HTTPStatusError as error:
        yield f"{url} cannot be read: the server answers {error.response.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        yield f"{url} cannot be read: {str(error) or type(error).__name__}"
    return None


def _follow(client: httpx.Client, url: str) -> str:
    """The text after following a few redirects. Raises httpx.HTTPError."""
    for _ in range(REDIRECTS):
        sockets.require_reach(urlsplit(url).hostname or "", "a request")
        with client.stream("GET", url) as response:
            if not response.is_redirect:
                response.raise_for_status()
                return _head(response)
            url = urljoin(url, response.headers.get("location", ""))
    raise httpx.TooManyRedirects(f"more than {REDIRECTS} redirects")


def _head(response: httpx.Response) -> str:
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) >= PAGE_LIMIT:
            break
    return bytes(body[:PAGE_LIMIT]).decode("utf-8", "replace")


def address(text: str) -> str:
    """Check an IPv4 address. Raises InputError."""
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise InputError("--source", f"{text!r} is not an IPv4 address (e.g. 192.0.2.7)") from None
