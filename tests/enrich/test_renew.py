"""Newer databases are installed, and older sweeps keep theirs."""

from pathlib import Path

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from pipeline.enrich import geo, renew
from pipeline.enrich.database_kind import DatabaseKind
from pipeline.errors import InputError


def mmdb(path: Path, built: int, country: str | None = "GB") -> Path:
    """A database with one network and a build time (seconds since 1970)."""
    writer = MMDBWriter(ip_version=4, database_type="made up")
    writer.insert_network(IPSet(["81.2.69.0/24"]), {"country": {"iso_code": country}} if country else {"x": 1})
    writer.to_db_file(str(path))
    data = bytearray(path.read_bytes())
    return _dated(path, data, built)


def _dated(path: Path, data: bytearray, built: int) -> Path:
    """Set another build time: after the key are a control byte and the number (MaxMind DB format 2.0)."""
    at = data.index(b"build_epoch") + len(b"build_epoch")
    size = data[at] & 0x1F
    start = at + (2 if data[at] >> 5 == 0 else 1)
    data[start : start + size] = built.to_bytes(size, "big")
    path.write_bytes(data)
    return path


NOVEMBER, DECEMBER = 1793491200, 1796083200


def test_a_newer_build_is_used_and_the_older_one_kept(tmp_path: Path) -> None:
    """The link points to the newest build; a path that a plan resolved earlier still reads the older one. It is idempotent."""
    folder = tmp_path / "reference"
    first = renew.install(mmdb(tmp_path / "a.mmdb", NOVEMBER), folder, "country")
    planned = (folder / "country.parquet").resolve()
    second = renew.install(mmdb(tmp_path / "b.mmdb", DECEMBER, "US"), folder, "country")
    again = renew.install(tmp_path / "b.mmdb", folder, "country")
    assert (first.new, second.new, again.new) == (True, True, False)
    assert geo.load(planned).digest == first.sha256
    assert geo.load(folder / "country.parquet").digest == second.sha256 == again.sha256
    assert (second.ranges, second.previous, second.changed, again.changed) == (1, "2026-11-01", 256, 0)


def test_an_older_build_is_refused(tmp_path: Path) -> None:
    """A database that is older than the installed one, or has no country, is refused and changes nothing."""
    folder = tmp_path / "reference"
    used = renew.install(mmdb(tmp_path / "b.mmdb", DECEMBER), folder, "country")
    with pytest.raises(InputError, match="was built 2026-11-01"):
        renew.install(mmdb(tmp_path / "a.mmdb", NOVEMBER), folder, "country")
    with pytest.raises(InputError, match="has no AS number"):
        renew.install(tmp_path / "b.mmdb", folder, "asn", DatabaseKind.ASN)
    with pytest.raises(InputError, match="places no IPv4 address"):
        renew.install(mmdb(tmp_path / "c.mmdb", DECEMBER + 86400, None), folder, "country")
    assert (folder / "country.parquet").resolve() == used.path.resolve()
