"""The feed, read by an XML parser."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from pipeline.publish.publisher import NO_LICENCE, UNLICENSED
from pipeline.site import atom
from pipeline.site.built import BuiltSweep
from tests.site.conftest import example_lab

NAMES = {"a": "http://www.w3.org/2005/Atom"}
BEGIN = datetime(2026, 6, 1, 3, tzinfo=UTC)


def sweep(number: int) -> BuiltSweep:
    return BuiltSweep(
        sweep=f"sweep-{number}", name="weekly", started=BEGIN + timedelta(weeks=number), headline=f"{number} <services>",
        summary="A & B.", services=number, countries=1, page=f"sweeps/sweep-{number}/index.html", key="",
    )  # fmt: skip


def test_the_latest_sweeps_are_entries() -> None:
    """An entry for each of the 30 latest sweeps, the newest first, with its permalink and an id that stays as the site moves."""
    text = atom.feed(example_lab(), [sweep(number) for number in range(40)])
    feed = ElementTree.fromstring(text)
    entries = feed.findall("a:entry", NAMES)
    assert [entry.findtext("a:title", "", NAMES) for entry in entries[:2]] == ["39 <services>", "38 <services>"]
    assert len(entries) == atom.ENTRIES
    link = entries[0].find("a:link", NAMES)
    assert link is not None and link.get("href") == "https://census.example.org/dicom/sweeps/sweep-39/index.html"
    moved = atom.feed(replace(example_lab(), url="https://census.example.org/"), [sweep(39)])
    assert ElementTree.fromstring(moved).findtext("a:entry/a:id", "", NAMES) == entries[0].findtext("a:id", "", NAMES)
    assert feed.findtext("a:updated", "", NAMES) == entries[0].findtext("a:updated", "", NAMES)
    assert feed.findtext("a:author/a:name", "", NAMES) == "Example <Lab>"


def test_a_licence_is_named_or_its_lack_is() -> None:
    """The rights of the feed are the licence; without one they say that none is named."""
    for lab, rights in (
        (example_lab(), "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/"),
        (replace(example_lab(), licence=NO_LICENCE), UNLICENSED),
    ):
        assert ElementTree.fromstring(atom.feed(lab, [sweep(1)])).findtext("a:rights", "", NAMES) == rights
