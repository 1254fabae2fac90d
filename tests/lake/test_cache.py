"""The cache of a bucket's objects stays within its limit, and no copy that a program may read is removed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.lake import cache, store
from pipeline.lake.bucket import ObjectPath
from tests.lake import bucket

#: A program that uses the cache, prints a line, and runs until its input ends.
OTHER = "import sys; from pipeline.lake import cache; cache.enter(cache.folder()); print(flush=True); sys.stdin.read()"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of four copies of 10 bytes, the first of which was used last."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache.enter.cache_clear()
    for number in (3, 2, 1, 0):
        cache.copy(f"{number}/sweep/part", lambda path: _write(path, 10))
        os.utime(cache.folder() / f"{number}/sweep/part", (0, 10 - number))
    return cache.folder()


def _write(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(size))


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


@pytest.mark.parametrize(("most", "kept"), [(40, "0123"), (39, "012"), (20, "01"), (9, ""), (0, "")])
def test_least_recently_used(folder: Path, most: int, kept: str) -> None:
    """The copies used last are kept, up to the allowed bytes; folders left empty are removed too."""
    cache.prune(folder, most)
    assert left(folder) == list(kept)


def test_use_counts(folder: Path) -> None:
    """A cached copy that is requested is not fetched again, and then counts as used last."""
    cache.copy("3/sweep/part", lambda path: pytest.fail("fetched again"))
    cache.prune(folder, 10)
    assert left(folder) == ["3"]


def test_nothing_in_use_goes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A starting program prunes the cache, unless another program uses it: a running program may read any copy until it ends."""
    monkeypatch.setenv(cache.VARIABLE, "20")
    os.close(cache.enter(folder))
    with subprocess.Popen([sys.executable, "-c", OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout and other.stdout.readline()
        assert left(folder) == ["0", "1"]
        monkeypatch.setenv(cache.VARIABLE, "0")
        cache.enter.cache_clear()
        os.close(cache.enter(folder))
        assert left(folder) == ["0", "1"]
    cache.enter.cache_clear()
    os.close(cache.enter(folder))
    assert left(folder) == []


def test_no_number(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is not a number of bytes is named in the error."""
    os.close(cache.enter(folder))
    cache.enter.cache_clear()
    monkeypatch.setenv(cache.VARIABLE, "10 GB")
    with pytest.raises(InputError, match="CENSUS_CACHE_BYTES: is not a number of bytes: '10 GB'"):
        cache.enter(folder)


def test_objects(environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit holds for a bucket's objects: a starting program keeps the copies used last, and fetches the others again."""
    lake = ObjectPath.parse(bucket.make(environment))
    for name in ("old", "new"):
        (lake / name).put(bytes(100))
        store.files([lake / name])
    os.utime(store.files([lake / "old"])[0], (0, 0))
    monkeypatch.setenv(cache.VARIABLE, "150")
    os.close(cache.enter(cache.folder()))
    cache.enter.cache_clear()
    cache.enter(cache.folder())
    assert [path.name for path in cache.folder().rglob("*") if path.is_file()] == [cache.LOCK, "new"]
    assert [path.read_bytes() for path in store.files([lake / "old", lake / "new"])] == [bytes(100)] * 2
