"""The workers of a sweep, by the progress files that they write into the lake."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from pipeline import host
from pipeline.lake import store
from pipeline.lake.layout import SweepPaths
from pipeline.lake.leases import LeaseHolder, is_gone, is_of_this_machine
from pipeline.outcome import ACCEPTS_ASSOCIATION, ACCEPTS_DATA, SPEAKS_DICOM, Outcome
from pipeline.untrusted import bounded

#: A worker that has not written its progress for this long counts as gone.
GONE_SECONDS = 30.0


class WorkerProgress(msgspec.Struct, frozen=True, kw_only=True):
    """The progress file of a worker: its counts since it `began` (times in seconds since 1970, rates in probes a second)."""

    began: float = 0.0
    updated: float = 0.0
    clock: float | None = None
    """When it was updated, by the clock of its machine since the boot; None if an earlier version wrote the file."""
    running: bool = False
    ended: bool = False
    """It has ended, in order or not."""
    holder: LeaseHolder | None = None
    """Its process; None if an earlier version wrote the file."""
    counts: dict[str, int] = msgspec.field(default_factory=dict)
    unfinished: dict[str, int] = msgspec.field(default_factory=dict)
    """The part of the counts that is of ranges without a receipt."""
    rate: float = 0.0
    """Over the last seconds."""
    sending_rate: float = 0.0
    """Over those of the last seconds in which it sent; 0 if it sent in none."""
    sent_at: float = 0.0
    """When it sent its last probe."""
    limit: int = 0
    """The rate that the register allows; 0 if it sets no limit."""
    registers: list[str] = msgspec.field(default_factory=list)
    """The SHA-256 of the register as each of its processes has read it last; empty if an earlier version wrote the file."""
    pause_reason: str = msgspec.field(default="", name="held")
    """Why it waits, by the opt-out register or since its own link is down; empty if it does not."""

    def lives(self, now: float) -> bool:
        """Whether the worker is still running. On its own machine that does not depend on the wall clock, which may be set."""
        gone = self.holder is not None and is_gone(self.holder)
        here = self.holder is not None and self.clock is not None and is_of_this_machine(self.holder)
        age = host.clock() - self.clock if here and self.clock is not None else now - self.updated
        return self.running and not self.ended and not gone and age < GONE_SECONDS


def worker_progress(paths: SweepPaths) -> list[WorkerProgress]:
    """Read the latest progress of each worker of a sweep, including those that are gone.

    A damaged file, as a power cut may leave one, is of a worker that is gone: one that lives writes its file again in a moment.
    """
    latest = []
    for data in store.contents(store.entries(paths.progress, "*.json")):
        with suppress(bounded.NotJson):
            latest.append(bounded.decode(data, WorkerProgress))
    return latest


def pause_reason(workers: Sequence[WorkerProgress], now: float) -> str:
    """Why the register pauses a worker that runs now; empty if it does not."""
    return next((worker.pause_reason for worker in workers if worker.lives(now) and worker.pause_reason), "")


def funnel(counted: Counter[str]) -> dict[str, int]:
    """Convert progress counts to the steps of the funnel (`words.steps`)."""
    visited = {outcome: counted[outcome.value] for outcome in Outcome}
    return {
        "probed": counted["probed"],
        "responsive": counted["responsive"],
        "visited": sum(visited.values()),
        "accepts_data": sum(visited[outcome] for outcome in ACCEPTS_DATA),
        "speaks_dicom": sum(visited[outcome] for outcome in SPEAKS_DICOM),
        "accepts_association": sum(visited[outcome] for outcome in ACCEPTS_ASSOCIATION),
        "echoes": visited[Outcome.ECHOED],
    }
