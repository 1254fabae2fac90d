"""What an associator on another machine has visited in a sweep, in a file that outlives its process.

The file is in the program's folder of states on this machine, one for each plan and name of an associator. It has a header, which
names the plan, and then entries of 24 bytes in the order of what happened. An entry is written before a visit's first byte is sent,
so it outlives the process; once a second the file is made durable, so it outlives the machine but for that second. An entry that the
end of the process has cut off is cut away. Any other damage is an error: a file that is not believed would let visits be made again.
"""

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np

from pipeline import host
from pipeline.errors import CensusError, InputError
from pipeline.lake import inside
from pipeline.untrusted import bounded

MAGIC = b"dicom-census visited 1\n"
ENTRY = np.dtype([("value", "<u8"), ("shard", "<u4"), ("number", "<u4"), ("event", "<u4"), ("check", "<u4")])
#: The largest file, in bytes: some twenty million visits.
LARGEST = 1 << 30
#: How often the file is made durable, in seconds.
SYNC_SECONDS = 1.0


class VisitEvent(IntEnum):
    """What has happened to a target of a range; or to the range: so many receipts of it are void."""

    BEGUN = 1
    ENDED = 2
    FORGOTTEN = 3
    VOID = 4


@dataclass(slots=True)
class VisitedFile:
    """The file, open for this process. `events` gives what it has, `append` adds to it."""

    path: Path
    digest: str
    _file: int = -1
    _size: int = 0
    _synced: float = float("-inf")
    _dirty: bool = False

    @classmethod
    def of(cls, digest: str, name: str) -> "VisitedFile":
        """The file of a plan and an associator on this machine."""
        return cls(host.folder("XDG_STATE_HOME", ".local/state") / "visited" / f"{digest}.{name}", digest)

    def events(self) -> Iterator[tuple[VisitEvent, tuple[int, int], int]]:
        """Open the file, and yield what it has: event, range, and target or number. Raises InputError if it is damaged."""
        header = MAGIC + self.digest.encode() + b"\n"
        data = inside.read(self.path, LARGEST) if self.path.exists() else b""
        if not header.startswith(data[: len(header)]):
            raise InputError(str(self.path), self._damage("its header is not that of this plan"))
        entries = np.frombuffer(
            data, ENTRY, max(0, len(data) - len(header)) // ENTRY.itemsize, min(len(data), len(header))
        )
        for index, entry in enumerate(entries):
            if zlib.crc32(entry.tobytes()[:-4]) != entry["check"] or entry["event"] not in list(VisitEvent):
                raise InputError(str(self.path), self._damage(f"entry {index + 1} of {len(entries)} is damaged"))
        self._open(header, whole=len(data) >= len(header), entries=len(entries))
        for value, shard, number, event, _ in entries.tolist():
            yield VisitEvent(event), (shard, number), value

    def append(self, event: VisitEvent, key: tuple[int, int], value: int) -> None:
        """Add an entry. Raises CensusError if it cannot be written."""
        entry = np.array([(value, *key, event, 0)], ENTRY)
        entry["check"] = zlib.crc32(entry.tobytes()[:-4])
        try:
            bounded.require(self._size + ENTRY.itemsize, LARGEST, str(self.path))
            self._size += os.write(self._file, entry.tobytes())
        except OSError as error:
            raise CensusError(f"{self.path} cannot be written: {error.strerror}; nobody was visited for it") from error
        self._dirty = True

    def sync(self, now: float) -> None:
        """Make the file durable, once in SYNC_SECONDS."""
        if self._dirty and now - self._synced >= SYNC_SECONDS:
            os.fdatasync(self._file)
            self._dirty, self._synced = False, now

    def _open(self, header: bytes, *, whole: bool, entries: int) -> None:
        """Open the file behind its whole entries; with a new header if it has none."""
        self._file = inside.open_file(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = len(header) + entries * ENTRY.itemsize if whole else 0
        os.ftruncate(self._file, self._size)
        if not whole:
            self._size = os.write(self._file, header)

    def _damage(self, fault: str) -> str:
        return (
            f"{fault}, so nobody knows which hosts were visited; restore the file, or remove it if they may be "
            "visited once more"
        )
