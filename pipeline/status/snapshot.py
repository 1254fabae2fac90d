"""The status of a sweep, from the lake alone: progress, rate, and which workers are alive.

Receipts prove which ranges are done. Leases name the workers: one that is not renewed belongs to a dead process. Each worker
also writes a progress file with its counts since it started. Nothing here needs the machines that do the work.

What is shown as done never counts a target twice: it is what receipts say, and what living workers have counted of ranges that
have none yet. What a dead worker counted of such ranges is counted again by whoever runs them.
"""

import time
from collections.abc import Sequence

import msgspec

from pipeline.lake import pending, receipts, voiding
from pipeline.lake.layout import Sweep
from pipeline.lake.leases import ObservedLease, observed_leases
from pipeline.record.receipt import Receipt
from pipeline.record.rounds import Round
from pipeline.status import remaining
from pipeline.status.finished import FinishedRanges
from pipeline.status.workers import WorkerProgress, funnel, pause_reason, worker_progress

#: The states of a sweep. The names are an interface: `census status --json` and the metrics print them.
STATES = {
    "begun": "the plan is in the lake, nothing has been sent",
    "running": "a worker is at work: it renews a lease, or has just reported",
    "held": "its workers run, but wait: the opt-out register pauses them, or their own link is down",
    "stopped": "its workers ended in an orderly way; run again with --resume",
    "dead": "its workers crashed and stopped renewing their leases; run again with --resume",
    "swept": "every range has its receipt; it is not sealed yet",
    "sealed": "its tables are final",
}
#: States in which the receipts are complete, and workers' progress is history.
DONE = {"swept", "sealed"}
#: Counts of receipts that a status has.
COUNTS = ("probes_sent", "responses", "associations", "suppressed", "quarantined", "revisited", "late_deadlines")


class LeaseStatus(msgspec.Struct, frozen=True):
    """The lease of a range (`000-000000`) or a shard (`000`), its holder, and how many seconds ago it was renewed."""

    lease: str
    host: str
    pid: int
    alive: bool
    renewed_seconds_ago: float


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """One sweep now. Counts are of finished ranges; `funnel` also has what workers have counted of the others.

    Rates are in probes a second. `eta_seconds` is null unless the sweep runs; `limit` is null if the register sets none.
    """

    sweep: str
    state: str
    share: float
    """The share of the sweep that is done, by time: 1 when nothing at all is left."""
    ranges: int
    ranges_done: int
    ranges_again: int
    """Attempts at finished ranges beyond the first of each."""
    ranges_void: int
    """Receipts that were void, since the hit rate had fallen: their ranges are run again."""
    shards: int
    targets: int
    probes_sent: int
    responses: int
    associations: int
    suppressed: int
    quarantined: int
    revisited: int
    late_deadlines: int
    rate: float
    average_rate: float
    limit: int | None
    eta_seconds: float | None
    loss: float | None
    stopped_by_register: str
    workers: int
    holders: tuple[LeaseStatus, ...]
    funnel: dict[str, int]

    @property
    def hit_rate(self) -> float | None:
        """The share of the probed targets that answered; None before the first probe."""
        return self.funnel["responsive"] / self.funnel["probed"] if self.funnel["probed"] else None


class SweepStatus:
    """Reads the status of one sweep repeatedly. A receipt never changes, so each is read once."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._ranges = int(sweep.walk.range_counts.sum())
        self._receipts: dict[str, Receipt] = {}
        self._done = FinishedRanges()

    def __call__(self, now: float | None = None) -> Status:
        """Read the status; `now` in seconds since 1970."""
        at = time.time() if now is None else now
        receipts.read_new(
            self._sweep.paths, self._receipts
        )  # before the workers' counts, which leave out what has a receipt
        workers = worker_progress(self._sweep.paths)
        self._done.update(self._receipts)
        leases = list(observed_leases(self._sweep.paths, self._receipts.keys()))
        running = [worker for worker in workers if worker.lives(at)]
        state, plan, done = self._state(leases, workers, at), self._sweep.plan, self._done
        left = remaining.Left(plan, self._ranges, done, running, at)
        limits = [worker.limit for worker in running if worker.limit]
        return Status(
            sweep=self._sweep.paths.id,
            state=state,
            share=1.0 if state in DONE else left.share(),
            ranges=self._ranges,
            ranges_done=done.rounds[Round.PROBES],
            ranges_again=done.again,
            ranges_void=voiding.count(self._sweep.paths),
            shards=plan.settings.shards,
            targets=plan.targets,
            **{name: done.columns[name] for name in COUNTS},
            rate=float(sum(worker.rate for worker in running)),
            average_rate=_average_rate(running or _last(workers)),
            limit=min(limits, default=None),
            eta_seconds=left.seconds(left.speed()) if state == "running" else None,
            loss=done.loss,
            stopped_by_register=pause_reason(workers, at),
            workers=len(running),
            holders=tuple(sorted(map(_lease_status, leases), key=lambda status: status.lease)),
            funnel=funnel(done.funnel + left.unfinished()),
        )

    def _state(self, leases: Sequence[ObservedLease], workers: Sequence[WorkerProgress], now: float) -> str:
        if self._sweep.paths.sealed("sweeps").exists():
            return "sealed"
        if pause_reason(workers, now):
            return "held"
        if any(lease.alive for lease in leases) or any(worker.lives(now) for worker in workers):
            return "running"
        if self._done.rounds[Round.PROBES] == self._ranges and not pending.pending_shards(self._sweep):
            return "swept"
        if leases or any(worker.running for worker in workers):
            return "dead"
        return "stopped" if workers or self._receipts else "begun"


def status(sweep: Sweep, now: float | None = None) -> Status:
    """Read the status of a sweep once; `now` in seconds since 1970."""
    return SweepStatus(sweep)(now)


def _last(workers: Sequence[WorkerProgress]) -> list[WorkerProgress]:
    """The worker that reported last, and those that were at work with it: not those of an attempt before a resume."""
    began = max(workers, key=lambda worker: worker.updated).began if workers else 0.0
    return [worker for worker in workers if worker.updated >= began]


def _average_rate(workers: Sequence[WorkerProgress]) -> float:
    """Probes a second of workers together, from when each began to its last probe: what follows is no sending."""
    spans = [(worker.counts.get("probed", 0), (worker.sent_at or worker.updated) - worker.began) for worker in workers]
    return float(sum(probed / seconds for probed, seconds in spans if seconds > 0))


def _lease_status(lease: ObservedLease) -> LeaseStatus:
    return LeaseStatus(lease.key, lease.holder.host, lease.holder.pid, lease.alive, round(max(0.0, lease.age), 1))
