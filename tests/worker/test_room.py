"""A worker ends in order before disk, memory or files are used up."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline import host
from pipeline.errors import CensusError
from pipeline.lake.bucket import ObjectPath
from pipeline.worker import room
from pipeline.worker.room import Room


def here() -> list[int]:
    """This process alone."""
    return [os.getpid()]


def test_enough(tmp_path: Path) -> None:
    """With room, and with a lake in a bucket, nothing happens."""
    Room(tmp_path, here).check()
    Room(ObjectPath("bucket", "lake"), here).check()


def test_a_disk_that_fills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is as good as full is noticed at the next look, and the message says what to do."""
    watched = Room(tmp_path, here)
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
        Room(tmp_path, here).check()


def test_files_that_are_used_up(tmp_path: Path) -> None:
    """So are the files that a process may open: another process of the worker, with the limit that it has."""
    opening = "import sys; files = [open('/dev/null') for _ in range(100)]; print(flush=True); sys.stdin.read()"
    command = ["prlimit", "--nofile=115", sys.executable, "-c", opening]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline()
        found = rf"process {process.pid} has 10\d of the 115 files open that it may; raise the hard limit .* --resume"
        with pytest.raises(CensusError, match=found):
            Room(tmp_path, lambda: [os.getpid(), process.pid]).check()
        process.communicate()
    Room(tmp_path, lambda: [process.pid]).check()  # it has ended
