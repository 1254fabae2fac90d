"""Every sweep of a lake, a line each: its state, when it began, and whether its tables are sealed and enriched."""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from pipeline.errors import CensusError
from pipeline.lake import layout, read
from pipeline.lake.layout import ENRICHED, Sweep, SweepPaths
from pipeline.lake.store import Location
from pipeline.status import snapshot, workers

#: The state of a sweep whose plan this version cannot read, or that was changed after it was frozen.
UNREADABLE = "unreadable"


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """One sweep of a lake. `began` is null before its first probe, the numbers are null if its plan cannot be read."""

    sweep: str
    state: str
    began: datetime | None
    targets: int | None
    done: float | None
    sealed: bool
    enriched: bool


def sweeps(lake: Location) -> Iterator[Overview]:
    """Yield every sweep of a lake, oldest first. Raises InputError if the folder is not a lake."""
    return map(_overview, layout.sweeps(lake))


def _overview(paths: SweepPaths) -> Overview:
    sealed, enriched = paths.sealed("sweeps").exists(), paths.sealed(ENRICHED).exists()
    try:
        sweep = Sweep.open(paths)
    except CensusError:
        state, began, targets, done = UNREADABLE, None, None, None
    else:
        targets = sweep.plan.targets
        state, began, done = ("sealed", _sealed_began(paths), 1.0) if sealed else _at_work(sweep)
    return Overview(
        sweep=paths.id, state=state, began=began, targets=targets, done=done, sealed=sealed, enriched=enriched
    )


def _sealed_began(paths: SweepPaths) -> datetime | None:
    """When a sealed sweep began, by its row."""
    began: datetime | None = read.rows(paths, "sweeps", ["started_at"])["started_at"][0].as_py()
    return began


def _at_work(sweep: Sweep) -> tuple[str, datetime | None, float]:
    """State, beginning and share of a sweep that is not sealed: its first worker began it."""
    status = snapshot.status(sweep)
    began = [worker.began for worker in workers.worker_progress(sweep.paths) if worker.began]
    return status.state, datetime.fromtimestamp(min(began), UTC) if began else None, status.share
