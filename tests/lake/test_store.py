"""Files of the lake appear whole, and new ones only once."""

import os
import threading
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.lake import store
from pipeline.lake.store import Sweep


def test_new_only_once(tmp_path: Path) -> None:
    """A new file is written once; whoever comes later is told so and changes nothing."""
    path = tmp_path / "folder" / "file"
    assert store.write(path, b"first", new=True)
    assert not store.write(path, b"second", new=True)
    assert path.read_bytes() == b"first"
    assert store.write(path, b"third")
    assert path.read_bytes() == b"third"


def test_one_of_many_writers_wins(tmp_path: Path) -> None:
    """Of writers that race for a new file exactly one wins, and the file is its own, whole."""
    won: list[int] = []

    def race(number: int) -> None:
        if store.write(tmp_path / "file", bytes([number]) * 100_000, new=True):
            won.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert (tmp_path / "file").read_bytes() == bytes(won) * 100_000


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_whole_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """If writing fails half-way, what stood there stands, and no temporary file is left."""
    path = tmp_path / "file"
    store.write(path, b"before")

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="disk is full"):
        store.write(path, b"after")
    assert path.read_bytes() == b"before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_private(tmp_path: Path) -> None:
    """The secret is drawn once, is sixteen bytes long and only its owner may read it."""
    place = Sweep(tmp_path, "one")
    secret = store.load_secret(place)
    assert len(secret) == 16
    assert store.load_secret(place) == secret
    assert store.load_secret(Sweep(tmp_path, "two")) != secret
    assert place.secret.stat().st_mode & 0o777 == 0o600


def test_find(tmp_path: Path) -> None:
    """The latest sweep is found by default and any by its name; an unknown one is refused with those that there are."""
    for name in ("20260101-a", "20260301-b", "20260201-c"):
        store.write(Sweep(tmp_path, name).plan, b"{}")
    assert [place.id for place in store.sweeps(tmp_path)] == ["20260101-a", "20260201-c", "20260301-b"]
    assert store.find(tmp_path, None).id == "20260301-b"
    assert store.find(tmp_path, "20260201-c").id == "20260201-c"
    with pytest.raises(InputError, match="it holds 20260101-a, 20260201-c, 20260301-b"):
        store.find(tmp_path, "other")


def test_no_lake(tmp_path: Path) -> None:
    """A folder without plans is no lake, and one with none in it holds no sweep."""
    with pytest.raises(InputError, match="is no lake"):
        store.find(tmp_path, None)
    (tmp_path / "plans").mkdir()
    with pytest.raises(InputError, match="holds no sweep"):
        store.find(tmp_path, None)
