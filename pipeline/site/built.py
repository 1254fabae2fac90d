"""Which sweeps a site holds, and of what each page was made: `sweeps.json` of the site, for programs and for the next build."""

from datetime import datetime
from pathlib import Path

import msgspec

NAME = "sweeps.json"


class BuiltSweep(msgspec.Struct, frozen=True, kw_only=True):
    """A sweep of the site: its headline and counts, the page, and `key`, a digest of all that its page was made of."""

    sweep: str
    name: str
    started: datetime
    headline: str
    summary: str
    services: int
    countries: int
    page: str
    key: str


class BuiltSite(msgspec.Struct, frozen=True, kw_only=True):
    """The sweeps of a site, oldest first, and the countries that have a page."""

    sweeps: tuple[BuiltSweep, ...] = ()
    countries: tuple[str, ...] = ()


def read(folder: Path) -> BuiltSite:
    """What a folder holds of an earlier build; nothing if it has none, or one that cannot be read: then all pages are made again."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=BuiltSite)
    except (OSError, msgspec.MsgspecError):
        return BuiltSite()


def encoded(site: BuiltSite) -> bytes:
    """The file's contents."""
    return msgspec.json.format(msgspec.json.encode(site), indent=1)
