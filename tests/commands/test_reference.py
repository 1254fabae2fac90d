"""`census refresh` on the command line."""

import json
from pathlib import Path

import pytest

from pipeline.enrich import announcements, geo
from tests.commands.running import Census
from tests.enrich.serving import serving
from tests.enrich.test_mmdb import GB, NETWORK, write
from tests.enrich.test_renew import DECEMBER, NOVEMBER, mmdb

PREFIXES = "routeviews-rv2-20261128-1200.pfx2as"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "dicom-census" / "reference"


def test_a_file_is_installed_with_what_it_is(census: Census, tmp_path: Path, home: Path) -> None:
    """A database goes to the user's data, with licence, source, date and digest beside it and in it; a newer one says what changed."""
    first = census("refresh", "country", "--from", mmdb(tmp_path / "a.mmdb", NOVEMBER), "--licence", "CC0-1.0")
    assert first.returncode == 0 and f'country = "{home / "country.parquet"}"' in first.stdout
    (sidecar,) = home.glob("*.json")
    facts = json.loads(sidecar.read_text())
    assert (facts["licence"], facts["source"], facts["build_date"]) == (
        "CC0-1.0",
        str(tmp_path / "a.mmdb"),
        "2026-11-01",
    )
    assert facts["sha256"] == geo.load(home / "country.parquet").digest
    ended = census("refresh", "country", "--from", mmdb(tmp_path / "b.mmdb", DECEMBER, "US"), "--json")
    build = json.loads(ended.stdout)
    assert (build["previous"], build["build_date"], build["changed"], build["new"]) == (
        "2026-11-01",
        "2026-12-01",
        256,
        True,
    )
    again = census("refresh", "country", "--from", tmp_path / "b.mmdb")
    assert "is up to date: built 2026-12-01" in again.stdout


def test_all_kinds_come_from_a_server(census: Census, tmp_path: Path, home: Path) -> None:
    """Databases of all kinds are fetched over HTTP, installed, and read as the configuration's."""
    site = tmp_path / "site"
    site.mkdir()
    write(site / "country.mmdb", {"192.0.2.0/24": GB})
    write(site / "asn.mmdb", {"192.0.2.0/24": NETWORK})
    (site / PREFIXES).write_text("192.0.2.0\t24\t786\n")
    with serving(site) as url:
        for kind, name in (("country", "country.mmdb"), ("asn", "asn.mmdb"), ("announced", PREFIXES)):
            ended = census("refresh", kind, "--from", f"{url}/{name}", "--json")
            build = json.loads(ended.stdout)
            assert (build["name"], build["ranges"], build["addresses"], build["changed"]) == (kind, 1, 256, None)
            assert json.loads(Path(build["path"]).with_suffix(".json").read_text())["source"] == f"{url}/{name}"
    assert geo.load(home / "country.parquet").ranges("GB").count == 256
    assert announcements.load(home / "asn.parquet").ranges(786).count == 256


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        ((), 3, "a download to download.db-ip.com is refused"),
        (("--from", "x.mmdb"), 2, "--from: holds one kind of database; name it: country, asn, announced"),
        (("country", "--from", "absent.mmdb"), 2, "absent.mmdb: cannot be read"),
    ],
)
def test_what_cannot_be_refreshed_is_refused(
    census: Census, home: Path, arguments: tuple[str, ...], code: int, reason: str
) -> None:
    """Without a network nothing is fetched; a wrong command line or file is refused; nothing is installed."""
    ended = census("refresh", *arguments)
    assert (ended.returncode, reason in ended.stderr) == (code, True) and not home.exists()
