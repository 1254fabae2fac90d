"""Which conversations an attempt at a range has begun: noted before the first byte goes, so that a crash can be owned up to.

A note of six bytes a target goes to a file by one write: it outlives the process, though not the machine. The file lies in the
lake's folder; of a lake in a bucket, on this machine, where only what goes on here can read it.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import host
from pipeline.lake import store
from pipeline.lake.layout import SweepPaths
from pipeline.space.shard import range_key

#: Beside the notes of a boot about lakes in buckets: whose they are, since a machine may have several such folders.
OWNER = "owner"
TARGET = np.dtype([("ip", "<u4"), ("port", "<u2")])


class VisitLog:
    """The notes of one process about the ranges that it has open."""

    def __init__(self, paths: SweepPaths, name: str) -> None:
        self._paths, self._name = paths, name
        self._files: dict[tuple[int, int], int] = {}

    def open(self, shard: int, number: int, attempt: int) -> None:
        """Take notes of an attempt at a range from now on."""
        path = _folder(self._paths) / f"{range_key(shard, number)}.{attempt}.begun.{self._name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        self._files[shard, number] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def note(self, shard: int, number: int, addresses: NDArray[np.uint32], ports: NDArray[np.uint16]) -> None:
        """Conversations with these targets of a range begin now; arrays of shape (n,)."""
        file = self._files.get((shard, number))
        if file is not None:
            targets = np.empty(len(addresses), dtype=TARGET)
            targets["ip"], targets["port"] = addresses, ports
            os.write(file, targets.tobytes())

    def close(self, shard: int, number: int) -> None:
        """No more of a range will begin."""
        file = self._files.pop((shard, number), None)
        if file is not None:
            os.close(file)


def owner(paths: SweepPaths) -> str:
    """What an attempt's own note says of these: the boot that they outlive the process in, and whose they are if not the lake's."""
    return host.boot_id() if isinstance(paths.lake, Path) else f"{host.boot_id()} {_owner(_here())}"


def repeated(paths: SweepPaths, key: str) -> int:
    """How many conversations of a range were begun for a target that had begun one before, over all attempts."""
    noted = [np.frombuffer(data, dtype=TARGET, count=len(data) // TARGET.itemsize) for data in _notes(paths, key)]
    targets = np.concatenate(noted) if noted else np.empty(0, dtype=TARGET)
    return len(targets) - len(np.unique(targets))


def forget(paths: SweepPaths) -> None:
    """The sweep is sealed: what this machine has noted of it for itself is not needed any more."""
    if not isinstance(paths.lake, Path):
        shutil.rmtree(_folder(paths), ignore_errors=True)


def _notes(paths: SweepPaths, key: str) -> Iterator[bytes]:
    yield from store.contents(store.entries(_folder(paths), f"{key}.*.begun.*"))


def _folder(paths: SweepPaths) -> Path:
    if isinstance(paths.work, Path):
        return paths.work / "journal"
    return _here() / hashlib.sha256(f"{paths.work}".encode()).hexdigest()[:16]


def _here() -> Path:
    """Where notes about lakes in buckets lie until this machine is started anew."""
    return host.folder("XDG_STATE_HOME", ".local/state") / "begun" / host.boot_id()


def _owner(folder: Path) -> str:
    """Whose notes a folder holds; who begins it takes away those of earlier boots."""
    path = folder / OWNER
    if not path.exists() and store.write(path, secrets.token_hex(8).encode(), new=True):
        for other in folder.parent.iterdir():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
    return path.read_text("utf-8")
