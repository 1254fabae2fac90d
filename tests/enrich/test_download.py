"""Databases are fetched over HTTP, and only from where the guard allows it."""

import os
from datetime import date
from pathlib import Path

import pytest

from pipeline.enrich import download
from pipeline.errors import CensusError, GuardError, InputError
from tests.enrich.serving import serving

NOVEMBER = 1793491200


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "2026" / "11").mkdir(parents=True)
    for name in ("old.pfx2as.gz", "new.pfx2as.gz"):
        (folder / "2026" / "11" / name).write_text(name)
        os.utime(folder / "2026" / "11" / name, (NOVEMBER, NOVEMBER))
    log = "# seq time path\n1\t1\t2026/11/old.pfx2as.gz\n2\t2\t2026/11/new.pfx2as.gz\n"
    (folder / download.LOG).write_text(log)
    return folder


def test_a_file_is_fetched_with_its_date(site: Path, tmp_path: Path) -> None:
    """A file comes byte for byte under its own name, after a redirect too, with the day that the server states."""
    with serving(site) as url:
        for place in ("", "/moved"):
            fetched = download.fetch(f"{url}{place}/2026/11/new.pfx2as.gz", tmp_path)
            assert (fetched.path.name, fetched.path.read_text()) == ("new.pfx2as.gz", "new.pfx2as.gz")
            assert (fetched.url, fetched.modified) == (f"{url}/2026/11/new.pfx2as.gz", date(2026, 11, 1))


def test_the_newest_of_a_list_is_fetched(site: Path, tmp_path: Path) -> None:
    """Of CAIDA's list of files, the last one is fetched; a list without files is refused."""
    with serving(site) as url:
        assert download.fetch(f"{url}/{download.LOG}", tmp_path).path.read_text() == "new.pfx2as.gz"
        (site / download.LOG).write_text("# nothing\n")
        with pytest.raises(CensusError, match="the list names no file"):
            download.fetch(f"{url}/{download.LOG}", tmp_path)


def test_nothing_leaves_loopback(site: Path, tmp_path: Path) -> None:
    """With CENSUS_ONLY_TESTBED another host is refused before a name is looked up, also as the target of a redirect."""
    with serving(site) as url:
        for place in ("http://census.invalid/a", "https://192.0.2.1/a", f"{url}/away/192.0.2.1/a"):
            with pytest.raises(GuardError, match=r"a download to (census\.invalid|192\.0\.2\.1) is refused"):
                download.fetch(place, tmp_path)


def test_proxies_are_not_used_in_a_testbed(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With CENSUS_ONLY_TESTBED a proxy of the environment gets no request."""
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:9")
    with serving(site) as url:
        assert download.fetch(f"{url}/2026/11/new.pfx2as.gz", tmp_path).path.exists()


def test_what_cannot_be_fetched_is_one_error(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing file, a closed port, a file that is too large and another scheme give one error with what to do."""
    with serving(site) as url:
        with pytest.raises(CensusError, match="the server answers 404; try again later"):
            download.fetch(f"{url}/absent", tmp_path)
        monkeypatch.setattr(download, "LARGEST", 4)
        with pytest.raises(CensusError, match="more than 4 bytes"):
            download.fetch(f"{url}/2026/11/new.pfx2as.gz", tmp_path)
    with pytest.raises(CensusError, match="cannot be fetched"):
        download.fetch(f"{url}/absent", tmp_path)
    with pytest.raises(InputError, match="neither a file nor an address"):
        download.fetch("ftp://127.0.0.1/a", tmp_path)
