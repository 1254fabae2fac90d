"""When the versions that services declare were released."""

import csv
from datetime import date
from itertools import groupby

from pipeline import checkout
from pipeline.enrich import ruleset
from pipeline.views import release_dates
from tests.analysis import lake

#: Toolkit → the root of its class UIDs, and its version names.
DECLARED = {
    "DCMTK": ("1.2.276.0.7230010.3.0.3", "OFFIS_DCMTK_{digits}"),
    "dcm4che": ("1.2.40.0.13.1.3", "dcm4che-{version}"),
    "pynetdicom": ("1.2.826.0.1.3680043.9.3811", "PYNETDICOM_{digits}"),
    "fo-dicom": ("1.3.6.1.4.1.30071.8", "fo-dicom {version}"),
    "GDCM": ("1.2.826.0.1.3680043.2.1143", "GDCM {version}"),
}


def listed() -> list[dict[str, str]]:
    """The rows of the file."""
    with (checkout.REFERENCE / "releases.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_view_has_the_rows_of_the_file() -> None:
    """View `releases` has each row of the file, with a date as a date."""
    found = lake.rows(lake.connect(), "SELECT toolkit, version, released, source FROM releases")
    assert found == [(r["toolkit"], r["version"], date.fromisoformat(r["released"]), r["source"]) for r in listed()]
    assert tuple(listed()[0]) == tuple(release_dates.TYPES)


def test_each_version_has_one_date_and_a_tag() -> None:
    """Each version is listed once, by toolkit and number, and its source is a tag of a repository whose name has the version."""
    ordered = [(r["toolkit"], [int(part) for part in r["version"].split(".")]) for r in listed()]
    assert len({(name, tuple(version)) for name, version in ordered}) == len(ordered)
    for _, rows in groupby(ordered, key=lambda row: row[0]):
        versions = [version for _, version in rows]
        assert versions == sorted(versions)
    assert len({name for name, _ in ordered}) == len(list(groupby(ordered, key=lambda row: row[0])))
    for row in listed():
        site, _, tag = row["source"].partition("/releases/tag/")
        assert site.startswith("https://github.com/") and tag.removeprefix("v").removeprefix("DCMTK-") == row["version"]


def test_each_version_is_read_from_what_is_declared() -> None:
    """The rules of identity read each version from the class UID and the version name of a peer that declares it."""
    for row in listed():
        uid, name = DECLARED[row["toolkit"]]
        declared = name.format(version=row["version"], digits=row["version"].replace(".", ""))
        found = ruleset.load().identities.match(uid, declared)
        assert (found.toolkit, found.toolkit_version) == (row["toolkit"], row["version"])


def test_what_was_never_released_has_no_date() -> None:
    """DCMTK 3.6.1 exists as snapshots alone; pynetdicom 2.1.1 declares 2.1.0."""
    known = {(row["toolkit"], row["version"]) for row in listed()}
    assert not known & {("DCMTK", "3.6.1"), ("pynetdicom", "2.1.1")}
    assert {("DCMTK", "3.6.0"), ("DCMTK", "3.6.2"), ("pynetdicom", "2.1.0")} <= known
