"""Check that scanned networks can find out who scans: the source's reverse DNS, the page and probing.txt (RFC 9511)."""

import asyncio
import ipaddress
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

import httpx

from pipeline.attribution import probing_txt
from pipeline.config.sections import IdentitySection
from pipeline.errors import InputError
from pipeline.guard import sockets
from pipeline.outcome import NAMED
from pipeline.reverse_dns import lookup, server
from pipeline.reverse_dns.lookup import HostNames
from pipeline.reverse_dns.stub_resolver import StubResolver

#: Seconds for one attempt: of a query, a connection, or a read.
SECONDS = 4.0
#: Attempts for one query.
TRIES = 2
#: Seconds for all lookups together. The system's own resolver, which finds the page's host, may wait much longer (resolv.conf(5)).
DEADLINE_SECONDS = 10.0
#: Bytes of a page that are read.
PAGE_LIMIT = 1 << 18
REDIRECTS = 5

Result = TypeVar("Result")


def announcement(identity: IdentitySection, *sources: str) -> str:
    """What a person who waits for `findings` should know."""
    names = f"looking up the reverse DNS of {', '.join(sources)} and " if sources else ""
    return f"{names}reading {identity.url}; this takes at most {DEADLINE_SECONDS:.0f} s"


def findings(identity: IdentitySection, *sources: str) -> Iterator[str]:
    """Yield a sentence for each piece of information that scanned networks would not find; nothing if all is in place.

    `sources` are the addresses that probes come from. Whatever does not answer, the last sentence comes within DEADLINE_SECONDS.
    Raises GuardError where no request may be sent.
    """
    until = time.monotonic() + DEADLINE_SECONDS
    location = probing_txt.origin(identity.url) + probing_txt.PATH
    names = {source: _begin(partial(_names, identity.resolver, source)) for source in sources}
    page, description = (_begin(partial(_text, url)) for url in (identity.url, location))
    for source, waiting in names.items():
        yield from _of_names(source, waiting, until)
    yield from _of_text(identity.url, page, until, lambda text: _of_page(identity, text))
    yield from _of_text(location, description, until, lambda text: _of_description(location, text))
    page_host = (urlsplit(identity.url).hostname or "").rstrip(".").lower()
    for source, waiting in names.items():
        confirmed = waiting.result().names if waiting.done() else ()
        if confirmed and page_host not in {*confirmed, source}:
            yield (
                f"the reverse DNS of {source} is {', '.join(sorted(confirmed))}, where scanned networks look for "
                f"{probing_txt.PATH} (RFC 9511 §4), but the page is on {page_host}"
            )


def _begin(call: Callable[[], Result]) -> "Future[Result]":
    """Begin a call in a thread that the program does not wait for at its end: a system's resolver cannot be interrupted."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True, name="census-identity").start()
    return future


def _names(resolver: str, source: str) -> HostNames:
    """The names of an address. Raises InputError or GuardError."""
    servers = (server.parse(resolver, "key identity.resolver"),) if resolver else server.system_servers()
    return asyncio.run(lookup.look_up(StubResolver(servers, tries=TRIES, seconds=SECONDS), source))


def _of_names(source: str, waiting: "Future[HostNames]", until: float) -> Iterator[str]:
    """Yield a sentence for each fault of an address's names."""
    try:
        host_names = waiting.result(max(0.0, until - time.monotonic()))
    except TimeoutError:
        yield f"the reverse DNS of {source} is unknown: no name server has answered within {DEADLINE_SECONDS:.0f} s"
        return
    if host_names.outcome not in NAMED:
        yield f"the reverse DNS of {source} is unknown: {host_names.outcome.explanation.partition(';')[0].lower()}"
    elif not host_names.names and not host_names.unconfirmed:
        yield f"{source} has no name in reverse DNS; ask its zone's operator for a PTR record that names the measurement"
    else:
        for name in host_names.unconfirmed:
            yield f"the reverse DNS of {source} is {name}, which does not resolve back to it"


def _of_text(url: str, waiting: "Future[str]", until: float, judge: Callable[[str], Iterator[str]]) -> Iterator[str]:
    """Yield a sentence if a URL cannot be read, else those about its text."""
    try:
        text = waiting.result(max(0.0, until - time.monotonic()))
    except TimeoutError:
        yield f"{url} cannot be read: no name server, or no server, has answered within {DEADLINE_SECONDS:.0f} s"
    except httpx.HTTPStatusError as error:
        yield f"{url} cannot be read: the server answers {error.response.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        yield f"{url} cannot be read: {str(error) or type(error).__name__}"
    else:
        yield from judge(text)


def _of_page(identity: IdentitySection, text: str) -> Iterator[str]:
    if identity.contact not in text:
        yield f"the page {identity.url} does not show the contact {identity.contact}"


def _of_description(location: str, text: str) -> Iterator[str]:
    yield from (f"{location}: {fault}" for fault in probing_txt.faults(probing_txt.read(text), datetime.now(UTC)))


def _text(url: str) -> str:
    """The text at a URL. Raises httpx.HTTPError, httpx.InvalidURL, ValueError or GuardError."""
    with httpx.Client(timeout=SECONDS, trust_env=False) as client:
        return _follow(client, url)


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
