"""Files and objects of the lake appear complete, and a new one is written only once."""

import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.errors import CensusError, InputError
from pipeline.lake import layout, store
from pipeline.lake.layout import SweepPaths
from pipeline.lake.store import Location


def test_new_only_once(lake: Location) -> None:
    """A new file is written once; a second writer is refused and changes nothing."""
    path = lake / "folder" / "file"
    assert store.write(path, b"first", new=True)
    assert not store.write(path, b"second", new=True)
    assert path.read_bytes() == b"first"
    assert store.write(path, b"third")
    assert path.read_bytes() == b"third"


def test_one_of_many_writers_wins(lake: Location) -> None:
    """Exactly one of the writers that race for a new file wins, and the file has all bytes of that writer."""
    won: list[int] = []

    def race(number: int) -> None:
        if store.write(lake / "file", bytes([number]) * 100_000, new=True):
            won.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert (lake / "file").read_bytes() == bytes(won) * 100_000


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_whole_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """If writing fails half-way, the earlier content is kept, and no temporary file is left."""
    path = tmp_path / "file"
    store.write(path, b"before")

    def fail(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(CensusError, match="file cannot be written: the disk is full; finished ranges are kept"):
        store.write(path, b"after")
    assert path.read_bytes() == b"before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_private(lake: Location) -> None:
    """The secret is drawn once, is sixteen bytes long, and can be read only by its owner."""
    paths = SweepPaths(lake, "one")
    secret = layout.load_secret(paths)
    assert len(secret) == 16
    assert layout.load_secret(paths) == secret
    assert layout.load_secret(SweepPaths(lake, "two")) != secret
    if isinstance(paths.secret, Path):
        assert paths.secret.stat().st_mode & 0o777 == 0o600


def test_find(lake: Location) -> None:
    """The latest sweep is found by default, and any sweep by its name; an unknown name is refused with the known names."""
    for name in ("20260101-a", "20260301-b", "20260201-c"):
        store.write(SweepPaths(lake, name).plan, b"{}")
    assert [paths.id for paths in layout.sweeps(lake)] == ["20260101-a", "20260201-c", "20260301-b"]
    assert layout.find(lake, None).id == "20260301-b"
    assert layout.find(lake, "20260201-c").id == "20260201-c"
    with pytest.raises(InputError, match="it has 20260101-a, 20260201-c, 20260301-b"):
        layout.find(lake, "other")


def test_no_lake(lake: Location) -> None:
    """A folder without plans is not a lake."""
    with pytest.raises(InputError, match="is not a lake"):
        layout.find(lake, None)


def test_no_sweep(tmp_path: Path) -> None:
    """A lake whose folder of plans is empty has no sweep."""
    (tmp_path / "plans").mkdir()
    with pytest.raises(InputError, match="has no sweep"):
        layout.find(tmp_path, None)


def test_swap(lake: Location) -> None:
    """A conditional write succeeds only while its condition holds; the version changes with every write."""
    path = lake / "folder" / "lease"
    assert store.read(path) is None
    first = store.swap(path, b"first", after=None)
    assert first and store.read(path) == (b"first", first)
    assert store.swap(path, b"other", after=None) is None
    second = store.swap(path, b"second", after=first)
    assert second and store.swap(path, b"third", after=first) is None
    assert store.read(path) == (b"second", second)
    path.unlink()
    assert store.swap(path, b"fourth", after=second) is None


def test_one_of_many_swaps_wins(lake: Location) -> None:
    """Exactly one of the programs that race to change the same version succeeds."""
    path = lake / "lease"
    before = store.swap(path, b"before", after=None)
    with ThreadPoolExecutor(12) as pool:
        won = list(pool.map(lambda n: store.swap(path, bytes([n]), after=before), range(12)))
    (winner,) = [n for n, version in enumerate(won) if version]
    assert path.read_bytes() == bytes([winner])


def test_beside(lake: Location) -> None:
    """A file written in a block appears when the block ends, or not at all if the block raises."""
    path = lake / "table" / "sweep=a" / "part-0.parquet"
    with pytest.raises(ValueError, match="midway"), store.replacing(path) as file:
        file.write_bytes(b"half")
        raise ValueError("midway")
    assert not path.exists() and not store.entries(path.parent, "*")
    with store.replacing(path) as file:
        file.write_bytes(b"whole" * 3_000_000)
    assert path.read_bytes() == b"whole" * 3_000_000
    assert store.entries(path.parent, "*") == [path]


def test_entries_and_files(lake: Location) -> None:
    """A folder lists its direct entries by name; local copies of its files have the same content, and follow a change."""
    for name in ("a/one.json", "a/two.json", "a/deep/three.json", "ab.json"):
        store.write(lake / name, name.encode())
    assert [path.name for path in store.entries(lake / "a", "*.json")] == ["one.json", "two.json"]
    assert [path.name for path in store.entries(lake, "*")] == ["a", "ab.json"]
    assert (lake / "a").is_dir() and not (lake / "b").is_dir() and not (lake / "a" / "on").is_dir()
    (file,) = store.files([lake / "a" / "one.json"])
    assert file.read_bytes() == b"a/one.json" and str(file).endswith("a/one.json")
    stamp = store.stamp(lake / "a" / "one.json")
    store.write(lake / "a" / "one.json", b"changed")
    assert store.files([lake / "a" / "one.json"])[0].read_bytes() == b"changed"
    assert store.stamp(lake / "a" / "one.json") != stamp != ""
    store.remove(lake / "a" / "deep")
    assert [path.name for path in store.entries(lake / "a", "*")] == ["one.json", "two.json"]
    assert store.contents(store.entries(lake / "a", "*.json")) == [b"changed", b"a/two.json"]
    assert store.stamp(lake / "none") == ""


def test_a_place_that_is_none() -> None:
    """A URL of another kind is refused, and the error names the valid kinds."""
    with pytest.raises(
        InputError, match="ftp://lake: is not a location of a lake; name a folder, or a bucket as s3://"
    ):
        store.at("ftp://lake")


def test_a_full_disk(tmp_path: Path) -> None:
    """On a disk that is really full the error names the file and says that nothing is lost; the earlier content is kept."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], check=True)
    try:
        store.write(disk / "file", b"before")
        with pytest.raises(CensusError, match=r"disk/file cannot be written: No space left on device; .* --resume"):
            store.write(disk / "file", bytes(100_000))
        assert (disk / "file").read_bytes() == b"before"
        assert [entry.name for entry in disk.iterdir()] == ["file"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)
