"""How a sweep is, from the lake alone: how far, how fast, who works on it, and whether they are alive.

Receipts say what is done, leases who is at work (one that is not renewed belongs to somebody dead), workers' notes what they
have counted since they began. Nothing here needs the machines that do the work.
"""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from pipeline.lake import pending, receipts, store
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.lake.leases import Standing, standing
from pipeline.outcome import ACCEPTS_ASSOCIATION, SPEAKS_DICOM, Outcome
from pipeline.record.receipt import Receipt
from pipeline.record.rounds import Round
from pipeline.statistics import recapture

#: A worker that has not reported for this long is taken for gone.
GONE_SECONDS = 30.0
#: What a sweep can be, and what that means.
STATES = {
    "begun": "the plan is in the lake, nothing has been sent",
    "running": "somebody renews a lease, or has reported just now",
    "held": "workers run, and the register holds them back",
    "stopped": "its workers ended in an orderly way; run again with --resume",
    "dead": "its workers stopped renewing their leases; run again with --resume",
    "swept": "every range has its receipt; it is not sealed yet",
    "sealed": "its tables are final",
}
#: States in which receipts tell all, and workers' notes at most what was.
DONE = {"swept", "sealed"}
#: Counts of receipts that are summed up.
SUMS = ("probes_sent", "responses", "associations", "suppressed", "quarantined", "revisited")
Note = dict[str, Any]


class Held(msgspec.Struct, frozen=True):
    """A lease that somebody holds, of a range (`000-000000`) or a shard (`000`), and how many seconds ago it was renewed."""

    lease: str
    host: str
    pid: int
    alive: bool
    renewed_seconds_ago: float


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """One sweep as it is now. Counts are of finished ranges, `funnel` is of all that workers have reported too."""

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
    holders: tuple[Held, ...]
    funnel: dict[str, int]

    @property
    def share(self) -> float:
        """How much of the sweep is done, 0 to 1, by its ranges of probes."""
        return self.ranges_done / self.ranges if self.ranges else 1.0


class SweepStatus:
    """Looks at one sweep again and again. A receipt never changes, so each is read once."""

    def __init__(self, sweep: Sweep) -> None:
        walk = sweep.walk
        self._sweep = sweep
        self._ranges = sum(1 for shard in range(walk.shards) for _ in walk.ranges(shard))
        self._receipts: dict[str, Receipt] = {}

    def __call__(self, now: float | None = None) -> Status:
        """How the sweep is; `now` in seconds since 1970."""
        at = time.time() if now is None else now
        notes = workers(self._sweep.paths)
        receipts.read_new(self._sweep.paths, self._receipts)
        leases = list(standing(self._sweep.paths, self._receipts.keys()))
        done, running = list(self._receipts.values()), [note for note in notes if lives(note, at)]
        state, rate = self._state(done, leases, notes, at), _rate(running)
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
            stopped_by_register=held(notes, at),
            workers=len(running),
            holders=tuple(sorted(map(_held, leases), key=lambda held: held.lease)),
            funnel=funnel(counts(notes)) if notes and state not in DONE else _finished(done),
        )

    def _state(self, done: Sequence[Receipt], leases: Sequence[Standing], notes: Sequence[Note], now: float) -> str:
        if self._sweep.paths.sealed("sweeps").exists():
            return "sealed"
        if held(notes, now):
            return "held"
        if any(lease.alive for lease in leases) or any(lives(note, now) for note in notes):
            return "running"
        if _probed(done) == self._ranges and not pending.due(self._sweep):
            return "swept"
        if leases or any(note["running"] for note in notes):
            return "dead"
        return "stopped" if notes or done else "begun"


def status(sweep: Sweep, now: float | None = None) -> Status:
    """Look at a sweep once; `now` in seconds since 1970."""
    return SweepStatus(sweep)(now)


def workers(paths: SweepPaths) -> list[Note]:
    """What each worker of a sweep has noted last, those that are gone included."""
    told = store.contents(store.entries(paths.progress, "*.json"))
    return [msgspec.json.decode(data, type=Note) for data in told]


def lives(note: Note, now: float) -> bool:
    """Whether a worker runs, by its note."""
    return bool(note["running"]) and now - note["updated"] < GONE_SECONDS


def held(notes: Sequence[Note], now: float) -> str:
    """Why the register holds back a worker that runs now; empty if it does not."""
    return next((str(note["held"]) for note in notes if lives(note, now) and note.get("held")), "")


def counts(notes: Sequence[Note]) -> Counter[str]:
    """The counts of all workers, since each began."""
    total: Counter[str] = Counter()
    for note in notes:
        total.update(note["counts"])
    return total


def funnel(counted: Counter[str]) -> dict[str, int]:
    """Progress counts as the funnel's steps."""
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
    """How many ranges of probes are done: those of the rounds after them are told by what came of the probes."""
    return sum(receipt.round == Round.PROBES for receipt in done)


def _rate(running: Sequence[Note]) -> float:
    """Probes a second of all workers that run, since each began."""
    spans = [(note["counts"].get("probed", 0), note["updated"] - note["began"]) for note in running]
    return float(sum(probed / seconds for probed, seconds in spans if seconds > 0))


def _loss(done: Sequence[Receipt]) -> float | None:
    """The share of hosts that the first SYN missed, as the second ones tell; None where they saw nobody."""
    both = sum(receipt.seen_twice for receipt in done)
    second = both + sum(receipt.second_only for receipt in done)
    return 1 - float(recapture.detection(both, second).value) if second else None


def _held(lease: Standing) -> Held:
    return Held(lease.key, lease.holder.host, lease.holder.pid, lease.alive, round(max(0.0, lease.age), 1))
