"""The visit log: the visits that an attempt at a range has begun, each logged before its first byte is sent.

After a crash it shows which targets were visited twice. An entry has six bytes per target and is appended by one write: it
survives the process, though not the machine. The file is in the lake's folder; for a lake in a bucket it is on this machine,
and only a worker of this machine can read it.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import host
from pipeline.lake import inside, store
from pipeline.lake.layout import SweepPaths
from pipeline.space.shard import range_key

#: File in the folder of a boot's logs of lakes in buckets that identifies the folder: a machine may have several.
OWNER = "owner"
TARGET = np.dtype([("ip", "<u4"), ("port", "<u2")])


class VisitLog:
    """The log of one process, of the ranges that it has open."""

    def __init__(self, paths: SweepPaths, name: str) -> None:
        self.paths, self._name = paths, name
        self._files: dict[tuple[int, int], int] = {}

    def open(self, shard: int, number: int, attempt: int) -> None:
        """Log visits of an attempt at a range from now on."""
        path = _folder(self.paths) / f"{range_key(shard, number)}.{attempt}.begun.{self._name}"
        self._files[shard, number] = inside.open_file(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(self, shard: int, number: int, addresses: NDArray[np.uint32], ports: NDArray[np.uint16]) -> None:
        """Log that visits to these targets of a range begin now; arrays of shape (n,)."""
        file = self._files.get((shard, number))
        if file is not None:
            targets = np.empty(len(addresses), dtype=TARGET)
            targets["ip"], targets["port"] = addresses, ports
            os.write(file, targets.tobytes())

    def close(self, shard: int, number: int) -> None:
        """End the log of a range: no more of its visits will begin."""
        file = self._files.pop((shard, number), None)
        if file is not None:
            os.close(file)


def owner(paths: SweepPaths) -> str:
    """Return what an attempt's note says of its log: the boot that the log belongs to, and the folder if it is not in the lake."""
    return host.boot_id() if isinstance(paths.lake, Path) else f"{host.boot_id()} {_owner(_here())}"


def repeated(paths: SweepPaths, key: str) -> int:
    """Count the visits of a range, over all attempts, to a target that had been visited before."""
    logged = [np.frombuffer(data, dtype=TARGET, count=len(data) // TARGET.itemsize) for data in _logs(paths, key)]
    targets = np.concatenate(logged) if logged else np.empty(0, dtype=TARGET)
    return len(targets) - len(np.unique(targets))


def forget(paths: SweepPaths) -> None:
    """Remove the logs that this machine keeps for a sweep that is sealed."""
    if not isinstance(paths.lake, Path):
        inside.remove_tree(_folder(paths))


def _logs(paths: SweepPaths, key: str) -> Iterator[bytes]:
    yield from store.contents(store.entries(_folder(paths), f"{key}.*.begun.*"))


def _folder(paths: SweepPaths) -> Path:
    if isinstance(paths.work, Path):
        return paths.work / "journal"
    return _here() / hashlib.sha256(f"{paths.work}".encode()).hexdigest()[:16]


def _here() -> Path:
    """Return the folder of the logs of lakes in buckets; it is used until this machine boots again."""
    return host.folder("XDG_STATE_HOME", ".local/state") / "begun" / host.boot_id()


def _owner(folder: Path) -> str:
    """Return the identity of a folder of logs. Whoever creates the folder removes those of earlier boots."""
    path = folder / OWNER
    if not path.exists() and store.write(path, secrets.token_hex(8).encode(), new=True):
        for other in folder.parent.iterdir():
            if other != folder:
                inside.remove_tree(other)
    return store.content(path).decode()
