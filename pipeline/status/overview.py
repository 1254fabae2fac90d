"""Every sweep of a lake, a line each: its state, when it began, and whether its tables are sealed and enriched."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from pipeline.errors import CensusError
from pipeline.lake import layout, read
from pipeline.lake.layout import ENRICHED, Sweep, SweepPaths
from pipeline.lake.store import Location
from pipeline.outcome import SPEAKS_DICOM
from pipeline.status import snapshot, workers

#: The state of a sweep whose plan this version cannot read, or that was changed after it was frozen, or whose files are damaged.
UNREADABLE = "unreadable"
#: The state of a sweep that is not finished and that nobody works on, while a later one of its series has begun.
GIVEN_UP = "given up"
#: States of a sweep that somebody may still resume.
RESUMABLE = {"begun", "stopped", "dead"}


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """One sweep of a lake. `began` is null before its first probe, the numbers are null if its plan cannot be read.

    `series` is its name in the configuration; `services` counts targets that spoke DICOM.
    """

    sweep: str
    series: str
    state: str
    began: datetime | None
    targets: int | None
    done: float | None
    services: int | None
    sealed: bool
    enriched: bool


def sweeps(lake: Location) -> Iterator[Overview]:
    """Yield every sweep of a lake, oldest first. Raises InputError if the folder is not a lake."""
    listed = layout.sweeps(lake)
    latest = {_series(paths): paths.id for paths in listed}
    return (_overview(paths, is_latest=latest[_series(paths)] == paths.id) for paths in listed)


def _series(paths: SweepPaths) -> str:
    return paths.id.partition("-")[2]


def _overview(paths: SweepPaths, *, is_latest: bool) -> Overview:
    sealed, enriched = paths.sealed("sweeps").exists(), paths.sealed(ENRICHED).exists()
    try:
        sweep = Sweep.open(paths)
        facts = _of_sealed(sweep) if sealed else _at_work(sweep)
    except CensusError:
        facts = SweepFacts(UNREADABLE)
    if facts.state in RESUMABLE and not is_latest:
        facts = facts._replace(state=GIVEN_UP)
    return Overview(sweep=paths.id, series=_series(paths), sealed=sealed, enriched=enriched, **facts._asdict())


class SweepFacts(NamedTuple):
    """What the plan, the receipts and the workers of a sweep say."""

    state: str
    began: datetime | None = None
    targets: int | None = None
    done: float | None = None
    services: int | None = None


def _of_sealed(sweep: Sweep) -> SweepFacts:
    first_range: datetime = read.rows(sweep.paths, "sweeps", ["started_at"])["started_at"][0].as_py()
    began = min(filter(None, (first_range, _began(sweep.paths))))
    outcomes = read.rows(sweep.paths, "responses", ["outcome"])["outcome"].value_counts().to_pylist()
    services = sum(row["counts"] for row in outcomes if row["values"] in SPEAKS_DICOM)
    return SweepFacts("sealed", began, sweep.plan.targets, 1.0, services)


def _at_work(sweep: Sweep) -> SweepFacts:
    status = snapshot.status(sweep)
    return SweepFacts(
        status.state, _began(sweep.paths), sweep.plan.targets, status.share, status.funnel["speaks_dicom"]
    )


def _began(paths: SweepPaths) -> datetime | None:
    """When the first worker of a sweep began, whichever of them has run its ranges in the end; None if that is not known."""
    began = [worker.began for worker in workers.worker_progress(paths) if worker.began]
    return datetime.fromtimestamp(min(began), UTC) if began else None
