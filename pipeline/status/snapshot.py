"""The status of a sweep, from the lake alone: progress, rate, and which workers are alive.

Receipts prove which ranges are done. Leases name the workers: one that is not renewed belongs to a dead process. Each worker
also writes a progress file with its counts since it started. Nothing here needs the machines that do the work.
"""

import time
from collections import Counter
from collections.abc import Sequence

import msgspec

from pipeline.lake import pending, receipts, store
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.lake.leases import ObservedLease, observed_leases
from pipeline.outcome import ACCEPTS_ASSOCIATION, SPEAKS_DICOM, Outcome
from pipeline.record.receipt import Receipt
from pipeline.record.rounds import Round
from pipeline.statistics import recapture

#: A worker that has not written its progress for this long counts as gone.
GONE_SECONDS = 30.0
#: The states of a sweep. The names are an interface: `census status --json` and the metrics print them.
STATES = {
    "begun": "the plan is in the lake, nothing has been sent",
    "running": "a worker renews a lease, or has just reported",
    "held": "its workers run, but are paused by the opt-out register",
    "stopped": "its workers ended in an orderly way; run again with --resume",
    "dead": "its workers crashed and stopped renewing their leases; run again with --resume",
    "swept": "every range has its receipt; it is not sealed yet",
    "sealed": "its tables are final",
}
#: States in which the receipts are complete, and workers' progress is history.
DONE = {"swept", "sealed"}
#: Counts of receipts that are summed.
SUMS = ("probes_sent", "responses", "associations", "suppressed", "quarantined", "revisited")


class WorkerProgress(msgspec.Struct, frozen=True, kw_only=True):
    """The progress file of a worker: its counts since it `began` (both times in seconds since 1970)."""

    began: float = 0.0
    updated: float = 0.0
    running: bool = False
    counts: dict[str, int] = msgspec.field(default_factory=dict)
    pause_reason: str = msgspec.field(default="", name="held")
    """Why the opt-out register pauses it; empty if it does not."""

    def lives(self, now: float) -> bool:
        """Whether the worker is still running."""
        return self.running and now - self.updated < GONE_SECONDS


class LeaseStatus(msgspec.Struct, frozen=True):
    """The lease of a range (`000-000000`) or a shard (`000`), its holder, and how many seconds ago it was renewed."""

    lease: str
    host: str
    pid: int
    alive: bool
    renewed_seconds_ago: float


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """One sweep now. Counts are of finished ranges; `funnel` also includes what workers have reported since."""

    sweep: str
    state: str
    ranges: int
    ranges_done: int
    shards: int
    targets: int
    probes_sent: int
    responses: int
    associations: int
    suppressed: int
    quarantined: int
    revisited: int
    rate: float
    eta_seconds: float | None
    loss: float | None
    stopped_by_register: str
    workers: int
    holders: tuple[LeaseStatus, ...]
    funnel: dict[str, int]

    @property
    def share(self) -> float:
        """The share of the sweep that is done, 0 to 1, by ranges of the first round."""
        return self.ranges_done / self.ranges if self.ranges else 1.0


class SweepStatus:
    """Reads the status of one sweep repeatedly. A receipt never changes, so each is read once."""

    def __init__(self, sweep: Sweep) -> None:
        walk = sweep.walk
        self._sweep = sweep
        self._ranges = sum(1 for shard in range(walk.shards) for _ in walk.ranges(shard))
        self._receipts: dict[str, Receipt] = {}

    def __call__(self, now: float | None = None) -> Status:
        """Read the status; `now` in seconds since 1970."""
        at = time.time() if now is None else now
        workers = worker_progress(self._sweep.paths)
        receipts.read_new(self._sweep.paths, self._receipts)
        leases = list(observed_leases(self._sweep.paths, self._receipts.keys()))
        done, running = list(self._receipts.values()), [worker for worker in workers if worker.lives(at)]
        state, rate = self._state(done, leases, workers, at), _rate(running)
        left = max(0, self._sweep.plan.targets - sum(r.probes_sent + r.suppressed for r in done))
        return Status(
            sweep=self._sweep.paths.id,
            state=state,
            ranges=self._ranges,
            ranges_done=_probed(done),
            shards=self._sweep.plan.settings.shards,
            targets=self._sweep.plan.targets,
            **{name: sum(getattr(receipt, name) or 0 for receipt in done) for name in SUMS},
            rate=rate,
            eta_seconds=left / rate if rate and state == "running" else None,
            loss=_loss(done),
            stopped_by_register=pause_reason(workers, at),
            workers=len(running),
            holders=tuple(sorted(map(_lease_status, leases), key=lambda status: status.lease)),
            funnel=funnel(counts(workers)) if workers and state not in DONE else _finished(done),
        )

    def _state(
        self, done: Sequence[Receipt], leases: Sequence[ObservedLease], workers: Sequence[WorkerProgress], now: float
    ) -> str:
        if self._sweep.paths.sealed("sweeps").exists():
            return "sealed"
        if pause_reason(workers, now):
            return "held"
        if any(lease.alive for lease in leases) or any(worker.lives(now) for worker in workers):
            return "running"
        if _probed(done) == self._ranges and not pending.pending_shards(self._sweep):
            return "swept"
        if leases or any(worker.running for worker in workers):
            return "dead"
        return "stopped" if workers or done else "begun"


def status(sweep: Sweep, now: float | None = None) -> Status:
    """Read the status of a sweep once; `now` in seconds since 1970."""
    return SweepStatus(sweep)(now)


def worker_progress(paths: SweepPaths) -> list[WorkerProgress]:
    """Read the latest progress of each worker of a sweep, including those that are gone."""
    files = store.contents(store.entries(paths.progress, "*.json"))
    return [msgspec.json.decode(data, type=WorkerProgress) for data in files]


def pause_reason(workers: Sequence[WorkerProgress], now: float) -> str:
    """Why the register pauses a worker that runs now; empty if it does not."""
    return next((worker.pause_reason for worker in workers if worker.lives(now) and worker.pause_reason), "")


def counts(workers: Sequence[WorkerProgress]) -> Counter[str]:
    """Sum the counts of all workers, since each began."""
    total: Counter[str] = Counter()
    for worker in workers:
        total.update(worker.counts)
    return total


def funnel(counted: Counter[str]) -> dict[str, int]:
    """Convert progress counts to the steps of the funnel."""
    visited = {outcome: counted[outcome.value] for outcome in Outcome}
    return {
        "probed": counted["probed"],
        "responsive": counted["responsive"],
        "visited": sum(visited.values()),
        "DICOM": sum(visited[outcome] for outcome in SPEAKS_DICOM),
        "accepting": sum(visited[outcome] for outcome in ACCEPTS_ASSOCIATION),
        "echoed": visited[Outcome.ECHOED],
    }


def _finished(done: Sequence[Receipt]) -> dict[str, int]:
    """The funnel of finished ranges."""
    counted = Counter(probed=sum(r.probes_sent for r in done), responsive=sum(r.responses for r in done))
    for receipt in done:
        counted.update({row.outcome: row.targets for row in receipt.outcomes})
    return funnel(counted)


def _probed(done: Sequence[Receipt]) -> int:
    """The number of finished ranges of the first round; later rounds have as many ranges as its results need."""
    return sum(receipt.round == Round.PROBES for receipt in done)


def _rate(running: Sequence[WorkerProgress]) -> float:
    """Probes a second of all running workers, since each began."""
    spans = [(worker.counts.get("probed", 0), worker.updated - worker.began) for worker in running]
    return float(sum(probed / seconds for probed, seconds in spans if seconds > 0))


def _loss(done: Sequence[Receipt]) -> float | None:
    """Estimate the share of hosts that the first SYN missed from the second SYNs; None if those got no answer."""
    both = sum(receipt.seen_twice for receipt in done)
    by_second = both + sum(receipt.second_only for receipt in done)
    return 1 - float(recapture.detection(both, by_second).value) if by_second else None


def _lease_status(lease: ObservedLease) -> LeaseStatus:
    return LeaseStatus(lease.key, lease.holder.host, lease.holder.pid, lease.alive, round(max(0.0, lease.age), 1))
