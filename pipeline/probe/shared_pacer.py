"""One budget for all senders of a vantage: the pacer's bucket in a page of memory that their processes share.

The page is a file in the worker's private folder, locked by flock(2): the kernel frees the lock of a sender that is killed.
CLOCK_MONOTONIC is one clock for all processes of a machine (clock_gettime(2)).
"""

import fcntl
import math
import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from pipeline.probe.pacer import MOST_RECENT, Pacer

#: The bucket's clock and tokens, and then recent grants: the time and size of each.
BUCKET, RECENT = struct.Struct("<dd"), struct.Struct(f"<{2 * MOST_RECENT}d")


class SharedPacer(Pacer):
    """A pacer that shares its clock, tokens and recent grants with every process that has opened the same file."""

    def __init__(self, path: Path, rate: float, now: float) -> None:
        """Share the bucket in a file. The first process to open it creates the bucket, empty."""
        super().__init__(rate, now)
        self._file = path.open("a+b")
        with self._locked():
            new = path.stat().st_size == 0
            if new:
                self._file.truncate(mmap.PAGESIZE)
            self._page = mmap.mmap(self._file.fileno(), mmap.PAGESIZE)
            if new:
                BUCKET.pack_into(self._page, 0, self.last, self.tokens)
                RECENT.pack_into(self._page, BUCKET.size, *(-math.inf, 0.0) * MOST_RECENT)

    def grant(self, now: float, wanted: int) -> int:
        """How many probes of this sender may go at `now`, at most `wanted`; what it leaves is for all senders."""
        with self._shared():
            self._read_recent()
            granted = super().grant(max(now, self.last), wanted)
            if granted and self.slow:
                RECENT.pack_into(self._page, BUCKET.size, *chain.from_iterable(self.recent))
            return granted

    def resume(self, now: float) -> None:
        """Start again after a time in which nothing was to be sent, unless another sender has sent meanwhile."""
        with self._shared():
            if now - self.last > self.longest:
                super().resume(now)

    def wait(self) -> float:
        """Seconds until half a burst is there, if no other sender takes from it."""
        self.tokens = BUCKET.unpack_from(self._page)[1]
        return super().wait()

    def _read_recent(self) -> None:
        """Take the recent grants of all senders; those that were never made are of no probes, long ago."""
        if self.slow:
            recent = RECENT.unpack_from(self._page, BUCKET.size)
            self.recent.extend(zip(recent[::2], map(int, recent[1::2]), strict=True))

    @contextmanager
    def _shared(self) -> Iterator[None]:
        """Take the lock, and work on the shared bucket."""
        with self._locked():
            self.last, self.tokens = BUCKET.unpack_from(self._page)
            try:
                yield
            finally:
                BUCKET.pack_into(self._page, 0, self.last, self.tokens)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
