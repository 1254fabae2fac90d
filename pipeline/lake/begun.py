"""Which conversations an attempt at a range has begun: noted before the first byte goes, so that a crash can be owned up to.

A note of six bytes a target goes to a file of the lake's folder by one write: it outlives the process, though not the machine. In a
bucket there are none.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import guard
from pipeline.lake import store
from pipeline.lake.store import Sweep
from pipeline.space.shard import range_key

TARGET = np.dtype([("ip", "<u4"), ("port", "<u2")])


class Begun:
    """The notes of one process about the ranges that it has open."""

    def __init__(self, place: Sweep, name: str) -> None:
        self._place, self._name = place, name
        self._files: dict[tuple[int, int], int] = {}

    def open(self, shard: int, number: int, attempt: int) -> None:
        """Take notes of an attempt at a range from now on."""
        path = _folder(self._place) / f"{range_key(shard, number)}.{attempt}.begun.{self._name}"
        if isinstance(path, Path):
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


def tells(place: Sweep) -> str:
    """What an attempt's own note says of these: the boot that they outlive the process in; empty where there are none."""
    return guard.boot_id() if isinstance(place.lake, Path) else ""


def again(place: Sweep, key: str) -> int:
    """How many conversations of a range were begun for a target that had begun one before, over all attempts."""
    noted = [np.frombuffer(data, dtype=TARGET, count=len(data) // TARGET.itemsize) for data in _notes(place, key)]
    targets = np.concatenate(noted) if noted else np.empty(0, dtype=TARGET)
    return len(targets) - len(np.unique(targets))


def _notes(place: Sweep, key: str) -> Iterator[bytes]:
    yield from store.contents(store.entries(_folder(place), f"{key}.*.begun.*"))


def _folder(place: Sweep) -> store.Place:
    return place.work / "journal"
