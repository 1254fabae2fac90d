"""The Atom feed of a site (RFC 4287): an entry for each of the latest sweeps."""

from collections.abc import Sequence
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from pipeline.publish.publisher import UNLICENSED, Publisher
from pipeline.site.built import BuiltSweep

NAME = "feed.xml"
#: How many sweeps the feed has.
ENTRIES = 30
#: What stands for the site's host in identifiers, if the site has no address yet (RFC 2606).
NOWHERE = "dicom-census.invalid"


def feed(publisher: Publisher, sweeps: Sequence[BuiltSweep]) -> str:
    """The feed, the latest sweep first; at least one sweep."""
    latest = sorted(sweeps, key=lambda each: each.started, reverse=True)[:ENTRIES]
    link = (
        f'<link rel="self" href="{_quoted(publisher.at(NAME))}"/><link href="{_quoted(publisher.at("index.html"))}"/>'
    )
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">',
        f"<title>DICOM census: sweeps</title><id>{_tag(publisher, latest[-1], 'feed')}</id>{link}",
        f"<updated>{_time(latest[0])}</updated><author><name>{escape(publisher.name)}</name></author>",
        f"<rights>{escape(_rights(publisher))}</rights>",
        *(_entry(publisher, each) for each in latest),
        "</feed>",
    ]
    return "\n".join(lines) + "\n"


def _rights(publisher: Publisher) -> str:
    licence = publisher.licence
    return f"{licence.name}, {licence.url}" if licence.name else UNLICENSED


def _entry(publisher: Publisher, each: BuiltSweep) -> str:
    return (
        f"<entry><title>{escape(each.headline)}</title><id>{_tag(publisher, each, each.sweep)}</id>"
        f'<link href="{_quoted(publisher.at(each.page))}"/><updated>{_time(each)}</updated>'
        f"<summary>{escape(each.summary)}</summary></entry>"
    )


def _tag(publisher: Publisher, each: BuiltSweep, what: str) -> str:
    """An identifier that stays if the site moves (RFC 4151)."""
    host = urlsplit(publisher.url).hostname or NOWHERE
    return escape(f"tag:{host},{each.started:%Y-%m-%d}:dicom-census:{what}")


def _time(each: BuiltSweep) -> str:
    return f"{each.started:%Y-%m-%dT%H:%M:%SZ}"


def _quoted(text: str) -> str:
    return escape(text, {'"': "&quot;"})
