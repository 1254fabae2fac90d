"""A worker ends in order before disk or memory is used up."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline import host
from pipeline.errors import CensusError
from pipeline.lake.bucket import ObjectPath
from pipeline.worker import room
from pipeline.worker.room import Room


def test_enough(tmp_path: Path) -> None:
    """With room, and with a lake in a bucket, nothing happens."""
    Room(tmp_path).check()
    Room(ObjectPath("bucket", "lake")).check()


def test_a_disk_that_fills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is as good as full is noticed at the next look, and the message says what to do."""
    watched = Room(tmp_path)
    watched.check()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3 << 20))
    watched.check()
    monkeypatch.setattr(host, "clock", lambda: 1e12)
    with pytest.raises(CensusError, match="3,072 kB; free some space, then run again with --resume"):
        watched.check()


def test_memory_that_is_used_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is memory."""
    monkeypatch.setattr(host, "memory_available", lambda: room.MEMORY_BYTES - 1)
    with pytest.raises(CensusError, match="only 63 MB of memory are available"):
        Room(tmp_path).check()
