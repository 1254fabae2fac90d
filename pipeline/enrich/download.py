"""Fetch a database over HTTP: the only place that does, and only when `census refresh` asks it to."""

from dataclasses import dataclass
from datetime import date
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePosixPath
from urllib.parse import urljoin, urlsplit

import httpx

from pipeline.errors import CensusError, InputError
from pipeline.guard import sockets

#: Seconds that a server may be silent, redirects that are followed, and the largest database in bytes.
SILENCE, REDIRECTS, LARGEST = 60.0, 5, 1 << 30
#: CAIDA's list of its files, a number, a time and a path a line; the last one is the newest.
LOG = "pfx2as-creation.log"


@dataclass(frozen=True, slots=True)
class Download:
    """A fetched file, where it came from after redirects, and the day on which the server says that it was last changed."""

    path: Path
    url: str
    modified: date | None


def fetch(url: str, folder: Path) -> Download:
    """Fetch a URL into a folder; of CAIDA's list, the newest file. Raises InputError, GuardError or CensusError."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise InputError("--from", f"{url!r} is neither a file nor an address that begins with http:// or https://")
    try:
        with httpx.Client(timeout=SILENCE, trust_env=not sockets.only_testbed()) as client:
            fetched = _follow(client, url, folder)
            if PurePosixPath(urlsplit(fetched.url).path).name == LOG:
                fetched = _follow(client, urljoin(fetched.url, _newest(fetched.path)), folder)
    except httpx.HTTPStatusError as error:
        raise CensusError(f"{error.request.url}: the server answers {error.response.status_code}; try again later, or "
                          "fetch the file yourself and give it by --from") from None  # fmt: skip
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise CensusError(f"{url}: cannot be fetched: {str(error) or type(error).__name__}; try again later, or fetch the file "
                          "yourself and give it by --from") from None  # fmt: skip
    return fetched


def _follow(client: httpx.Client, url: str, folder: Path) -> Download:
    """Fetch a URL after a few redirects, each of which the guard must allow. Raises httpx.HTTPError."""
    for _ in range(REDIRECTS):
        sockets.require_reach(urlsplit(url).hostname or "", "a download")
        with client.stream("GET", url) as response:
            if not response.is_redirect:
                response.raise_for_status()
                return Download(_save(response, url, folder), url, _modified(response))
            url = urljoin(url, response.headers.get("location", ""))
    raise httpx.TooManyRedirects(f"more than {REDIRECTS} redirects")


def _save(response: httpx.Response, url: str, folder: Path) -> Path:
    path = folder / (PurePosixPath(urlsplit(url).path).name or "database")
    size = 0
    with path.open("wb") as file:
        for piece in response.iter_raw():
            size += len(piece)
            if size > LARGEST:
                raise ValueError(f"the file has more than {LARGEST:,} bytes")
            file.write(piece)
    return path


def _modified(response: httpx.Response) -> date | None:
    try:
        return parsedate_to_datetime(response.headers.get("last-modified", "")).date()
    except ValueError:
        return None


def _newest(log: Path) -> str:
    """The path of the last file of CAIDA's list. Raises ValueError."""
    rows = [line.split() for line in log.read_text("utf-8", "replace").splitlines() if not line.startswith("#")]
    paths = [row[-1] for row in rows if len(row) > 1]
    if not paths:
        raise ValueError("the list names no file")
    return paths[-1]
