"""One budget for all senders of a vantage: the pacer's bucket in a page of memory that their processes share.

The page is a file in the worker's private folder, locked by flock(2): the kernel frees the lock of a sender that is killed.
CLOCK_MONOTONIC is one clock for all processes of a machine (clock_gettime(2)).
"""

import fcntl
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from pipeline.probe.pacer import MOST_RECENT, Pacer

#: The bucket's clock and tokens, and then recent grants: the time and size of each.
BUCKET, RECENT = 2, 2 * MOST_RECENT


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
            self._bucket = np.frombuffer(self._page, dtype=np.float64, count=BUCKET)
            self._recent = np.frombuffer(self._page, dtype=np.float64, count=RECENT, offset=self._bucket.nbytes)
            if new:
                self._bucket[:] = self.last, self.tokens
                self._recent[::2] = -np.inf

    def grant(self, now: float, wanted: int) -> int:
        """How many probes of this sender may go at `now`, at most `wanted`; what it leaves is for all senders."""
        with self._shared():
            self._read_recent()
            granted = super().grant(max(now, self.last), wanted)
            if granted and self.slow:
                self._recent[:] = np.array(self.recent).ravel()
            return granted

    def resume(self, now: float) -> None:
        """Start again after a time in which nothing was to be sent, unless another sender has sent meanwhile."""
        with self._shared():
            if now - self.last > self.longest:
                super().resume(now)

    def wait(self) -> float:
        """Seconds until half a burst is there, if no other sender takes from it."""
        self.tokens = float(self._bucket[1])
        return super().wait()

    def _read_recent(self) -> None:
        """Take the recent grants of all senders; those that were never made are of no probes, long ago."""
        if self.slow:
            self.recent.extend((at, int(count)) for at, count in self._recent.reshape(-1, 2).tolist())

    @contextmanager
    def _shared(self) -> Iterator[None]:
        """Take the lock, and work on the shared bucket."""
        with self._locked():
            self.last, self.tokens = self._bucket.tolist()
            try:
                yield
            finally:
                self._bucket[:] = self.last, self.tokens

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
