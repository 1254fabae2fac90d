"""The third round, the harm check: visits some targets late, and checks whether targets that were visited still answer.

```
visited    answered ─ delay → visit   ─ delay → check
unvisited  answered ─ delay → nothing ─ delay → check ─ visit ─ delay → check
speaker    visited ─ delay → check
```

Where the plan has another source address, a sender of that address then checks whoever was silent: who answers it blocks the first.

Both arms are checked in the same way at the same time: a delay after their visit was due, which only one of them got. A host of
`unvisited` that is silent then went away by itself, or its packets were lost. The associators make the visits; the SYNs leave
through the engine.

After a kill nothing is visited twice, and what was visited is only checked. The arms of such a range are no longer alike, which
column `attempt` shows.
"""

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline import schema
from pipeline.lake import parts
from pipeline.lake.layout import SweepPaths
from pipeline.outcome import Arm
from pipeline.probe.liveness import Liveness, LivenessCheck, Target
from pipeline.record.receipt import Counts
from pipeline.record.rounds import Round
from pipeline.space.permit import Permit
from pipeline.transport import messages
from pipeline.worker import rows
from pipeline.worker.fanout import Fanout

VISIT, WAIT, BEFORE, AFTER = "visit", "wait", "before", "after"
#: What is done with a target of each arm, step by step, each a delay after the one before; a visit follows a check at once.
STEPS = {"visited": (VISIT, AFTER), "unvisited": (WAIT, BEFORE, VISIT, AFTER), "speaker": (AFTER,)}
#: The check of each arm by which arms are compared. Where it finds silence, another source address confirms it, if there is one.
COMPARED = {"visited": AFTER, "unvisited": BEFORE, "speaker": AFTER}
#: What the associators get to know of a target that was deferred.
SYN = ("ip", "port", "answered_at", "ttl", "window", "syn_rtt_us", "syn_options_hash")


@dataclass(slots=True)
class _HarmRange:
    """One range of the round."""

    message: messages.Rows
    counts: Counts
    began: float
    open: int
    """Targets that are not done."""
    probes: int = 0


@dataclass(slots=True)
class _HarmTarget:
    """A target: what is known of it (a row of `held`), its row of `harm` so far, and the steps that are left."""

    range: _HarmRange
    known: dict[str, Any]
    row: dict[str, Any]
    steps: list[str]

    @property
    def target(self) -> Target:
        return self.row["ip"], self.row["port"]


@dataclass(slots=True)
class HarmChecks:
    """Drive it with `tick`. Times are seconds of the monotonic clock; many ranges are open at once."""

    paths: SweepPaths
    fanout: Fanout
    check: LivenessCheck
    delay: float
    source: str
    sender: int = 0
    """The number of the sender."""
    confirm: Callable[[messages.Confirm], None] | None = None
    """Has a sender of another source address check a silent target, if there is one."""
    _due: list[tuple[float, int, _HarmTarget]] = field(default_factory=list)
    _checking: dict[Target, _HarmTarget] = field(default_factory=dict)
    _confirming: dict[Target, _HarmTarget] = field(default_factory=dict)
    _ranges: list[_HarmRange] = field(default_factory=list)
    _number: int = 0

    def begin(self, message: messages.Rows, targets: pa.RecordBatch) -> None:
        """Take the targets of a range, except those that an earlier attempt is done with."""
        now, epoch = time.monotonic(), time.time()
        finished, visited = rows.checked(self.paths, message.shard, message.number, message.attempt)
        unfinished = [known for known in targets.to_pylist() if (known["ip"], known["port"]) not in finished]
        range_ = _HarmRange(message, Counts(started_at=int(epoch * 1e6)), now, len(unfinished))
        self._ranges.append(range_)
        for known in unfinished:
            arm, answered_at = known["arm"], known["answered_at"]
            row = {name: known[name] for name in ("ip", "port", "arm", "answered_at")} | {"attempt": message.attempt}
            target = _HarmTarget(range_, known, row, list(STEPS[arm]))
            visited_at = visited.get(target.target)
            if arm == Arm.SPEAKER or visited_at is not None:
                row["visited_at"] = answered_at if visited_at is None else visited_at
                target.steps = [AFTER]
            since = row.get("visited_at", answered_at)
            # No longer than the delay, even if the wall clock was set back meanwhile.
            self._push(target, now + min(max(0.0, since.timestamp() + self.delay - epoch), self.delay))

    def tick(self, permit: Permit, register_digest: str) -> None:
        """Do what is due, take the results of checks, and end the ranges that are over."""
        now = time.monotonic()
        for result in self.check.results(now):
            self._keep(result, now)
        while self._due and self._due[0][0] <= now and not permit.pause_reason:
            target = heapq.heappop(self._due)[2]
            if permit.withheld.contains(np.array([target.target[0]]))[0]:
                self._leave(target)
            else:
                DO[target.steps[0]](self, target, time.monotonic())  # many before it may have taken their time
        for range_ in [range_ for range_ in self._ranges if not range_.open]:
            self._ranges.remove(range_)
            self._end(range_, register_digest, complete=True)

    def end(self, register_digest: str) -> None:
        """Stop; a later attempt takes what is not over."""
        for range_ in self._ranges:
            self._end(range_, register_digest, complete=False)
        self._ranges.clear()

    def _push(self, target: _HarmTarget, at: float) -> None:
        self._number += 1
        heapq.heappush(self._due, (at, self._number, target))

    def _leave(self, target: _HarmTarget) -> None:
        """End with a target that has opted out or is quarantined."""
        target.range.counts.suppressed_visits += VISIT in target.steps
        self._over(target)

    def _visit(self, target: _HarmTarget, now: float) -> None:
        """Send a deferred target to the associators."""
        arrow = schema.table("held").arrow
        columns = {name: pa.array([target.known[name]], arrow.field(name).type) for name in SYN}
        self.fanout.targets(self._message(target.range, "responses"), pa.RecordBatch.from_pydict(columns))
        target.row["visited_at"] = _epoch_us()
        target.row.setdefault("due_at", target.row["visited_at"])
        target.steps.pop(0)
        self._push(target, now + self.delay)

    def _wait(self, target: _HarmTarget, now: float) -> None:
        """Put the visit of a target off: it would be now."""
        target.row["due_at"] = _epoch_us()
        target.steps.pop(0)
        self._push(target, now + self.delay)

    def _check(self, target: _HarmTarget, now: float) -> None:
        """Check whether a target answers; if a check of it is under way, try later."""
        if self.check.add(target.target):
            self._checking[target.target] = target
        else:
            self._push(target, now + self.check.patience)

    def _keep(self, result: Liveness, now: float) -> None:
        """Keep the result of a check, and go on with its target."""
        target = self._checking.pop(result.target)
        target.range.probes += result.syns
        if result.withheld:
            self._leave(target)
            return
        when, row = target.steps.pop(0), target.row
        row[f"asked_{when}_at"] = _epoch_us() - int((now - result.sent_at) * 1e6)
        row[f"alive_{when}"] = result.first or bool(result.second)
        row[f"repeated_{when}"] = result.second is not None
        if self.confirm and not row[f"alive_{when}"] and when == COMPARED[row["arm"]]:
            task, (ip, port) = target.range.message, target.target
            self._confirming[target.target] = target
            self.confirm(messages.Confirm(shard=task.shard, number=task.number, ip=ip, port=port, sender=self.sender))
            return
        self._go_on(target, now)

    def keep_confirmed(self, confirmed: messages.Confirmed) -> None:
        """Keep whether a silent target answered another source address, and go on with it."""
        target = self._confirming.pop((confirmed.ip, confirmed.port))
        target.range.probes += confirmed.syns
        target.row["alive_elsewhere"] = confirmed.answered
        self._go_on(target, time.monotonic())

    def _go_on(self, target: _HarmTarget, now: float) -> None:
        """Do the next step of a target, or end with it."""
        if target.steps:
            self._push(target, now)
        else:
            self._over(target)

    def _over(self, target: _HarmTarget) -> None:
        """Have the writer keep a target's row: no step is left."""
        self.fanout.rows(self._message(target.range, "harm"), parts.from_rows([target.row], "harm"))
        target.range.open -= 1

    def _message(self, range_: _HarmRange, table: str) -> messages.Rows:
        task = range_.message
        return messages.Rows(
            shard=task.shard,
            number=task.number,
            attempt=task.attempt,
            table=table,
            round=Round.HARM_CHECKS,
            vantage=self.source,
        )

    def _end(self, range_: _HarmRange, register_digest: str, *, complete: bool) -> None:
        range_.counts.send_seconds = time.monotonic() - range_.began
        task = range_.message
        counts = rows.counts(
            range_.counts, round=Round.HARM_CHECKS, vantage=self.source, register_digest=register_digest
        )
        counts.harm_probes = range_.probes
        self.fanout.cooled(task.shard, task.number, task.attempt, counts, complete=complete)


#: How each step is done.
DO: dict[str, Callable[[HarmChecks, _HarmTarget, float], None]] = {
    VISIT: HarmChecks._visit,
    WAIT: HarmChecks._wait,
    BEFORE: HarmChecks._check,
    AFTER: HarmChecks._check,
}


def _epoch_us() -> int:
    return time.time_ns() // 1000
