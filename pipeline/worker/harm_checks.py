"""The third round, the harm check: visits some targets late, and asks those that were visited whether they are still there.

```
visited    answered ─ delay → visit ─ delay → asked
unvisited  answered ─ delay → asked ─ delay → visit ─ delay → asked
speaker    visited ─ delay → asked
```

The first asking of `unvisited` comes as long after a sign of life as the last of `visited`, with no visit between: what is gone by
then is gone by itself, or lost on the way. Visits are the associators'; the SYNs leave through the engine.
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
from pipeline.lake.harm_targets import ROUND
from pipeline.lake.layout import SweepPaths
from pipeline.outcome import Arm
from pipeline.probe.liveness import Liveness, LivenessCheck, Target
from pipeline.probe.range_state import SendCounts
from pipeline.space.permit import Permit
from pipeline.transport import messages
from pipeline.worker import rows
from pipeline.worker.fanout import Fanout

VISIT, BEFORE, AFTER = "visit", "before", "after"
#: What is done with a target, step by step, each a delay after the one before.
STEPS = {"visited": (VISIT, AFTER), "unvisited": (BEFORE, VISIT, AFTER), "speaker": (AFTER,)}
#: What the associators are told of a target that was held back.
SYN = ("ip", "port", "answered_at", "ttl", "window", "syn_rtt_us", "syn_options_hash")


@dataclass(slots=True)
class _Checked:
    """A target on its way: what is still to be done with it, and its row of `harm`."""

    task: "_Task"
    told: dict[str, Any]
    row: dict[str, Any]
    left: list[str]

    @property
    def target(self) -> Target:
        return self.row["ip"], self.row["port"]


@dataclass(slots=True)
class _Task:
    """One range of the round."""

    message: messages.Rows
    counts: SendCounts
    began: float
    open: int
    probes: int = 0


@dataclass(slots=True)
class HarmChecks:
    """Drive it with `tick`. Times are seconds of the monotonic clock; many ranges are open at once."""

    paths: SweepPaths
    fanout: Fanout
    asking: LivenessCheck
    delay: float
    source: str
    _due: list[tuple[float, int, _Checked]] = field(default_factory=list)
    _asked: dict[Target, _Checked] = field(default_factory=dict)
    _tasks: list[_Task] = field(default_factory=list)
    _number: int = 0

    def begin(self, message: messages.Rows, targets: pa.RecordBatch) -> None:
        """Take the targets of a range; what an earlier attempt finished is not done again."""
        now, epoch = time.monotonic(), time.time()
        finished, visited = rows.checked(self.paths, message.shard, message.number, message.attempt)
        wanted = [told for told in targets.to_pylist() if (told["ip"], told["port"]) not in finished]
        task = _Task(message, SendCounts(started_at=int(epoch * 1e6)), now, len(wanted))
        self._tasks.append(task)
        for told in wanted:
            arm, answered = told["arm"], told["answered_at"]
            row = {name: told[name] for name in ("ip", "port", "arm", "answered_at")}
            checked = _Checked(task, told, row, list(STEPS[arm]))
            again = visited.get(checked.target)
            if arm == Arm.SPEAKER or again is not None:
                row["visited_at"] = answered if again is None else again
                checked.left = [AFTER]
            since = row.get("visited_at", answered)
            self._push(checked, now + max(0.0, since.timestamp() + self.delay - epoch))

    def tick(self, permit: Permit, register_digest: str) -> None:
        """Do what is due, note who has answered, and end the ranges that are over."""
        now = time.monotonic()
        for told in self.asking.told(now):
            self._told(told, now)
        while self._due and self._due[0][0] <= now and not permit.held:
            checked = heapq.heappop(self._due)[2]
            if permit.withheld.contains(np.array([checked.target[0]]))[0]:
                self._leave(checked)
            else:
                DO[checked.left[0]](self, checked, time.monotonic())  # many before it may have taken their time
        for task in [task for task in self._tasks if not task.open]:
            self._tasks.remove(task)
            self._end(task, register_digest, complete=True)

    def end(self, register_digest: str) -> None:
        """Stop: what is not over is left to a later attempt."""
        for task in self._tasks:
            self._end(task, register_digest, complete=False)
        self._tasks.clear()

    def _push(self, checked: _Checked, at: float) -> None:
        self._number += 1
        heapq.heappush(self._due, (at, self._number, checked))

    def _leave(self, checked: _Checked) -> None:
        """It has opted out, or is quarantined: nothing more is done with it."""
        checked.task.counts.suppressed_visits += VISIT in checked.left
        self._over(checked)

    def _visit(self, checked: _Checked, now: float) -> None:
        """Hand a target that was held back to the associators."""
        message = self._message(checked.task, "responses")
        arrow = schema.table("held").arrow
        columns = {name: pa.array([checked.told[name]], arrow.field(name).type) for name in SYN}
        self.fanout.targets(message, pa.RecordBatch.from_pydict(columns))
        checked.row["visited_at"] = _epoch_us()
        checked.left.pop(0)
        self._push(checked, now + self.delay)

    def _ask(self, checked: _Checked, now: float) -> None:
        """Ask a target; one that is being asked already waits for its turn."""
        if self.asking.ask(checked.target):
            self._asked[checked.target] = checked
        else:
            self._push(checked, now + self.asking.patience)

    def _told(self, told: Liveness, now: float) -> None:
        """A target was asked: note what came of it, and go on."""
        checked = self._asked.pop(told.target)
        when, row = checked.left.pop(0), checked.row
        row[f"asked_{when}_at"] = _epoch_us() - int((now - told.asked_at) * 1e6)
        row[f"alive_{when}"] = told.first or bool(told.second)
        row[f"repeated_{when}"] = told.second is not None
        checked.task.probes += 1 + (told.second is not None)
        if checked.left:
            self._push(checked, told.asked_at + self.delay)
        else:
            self._over(checked)

    def _over(self, checked: _Checked) -> None:
        """All that is to be known of a target is."""
        task = checked.task
        self.fanout.rows(self._message(task, "harm"), parts.from_rows([checked.row], "harm"))
        task.open -= 1

    def _message(self, task: _Task, table: str) -> messages.Rows:
        asked = task.message
        return messages.Rows(
            shard=asked.shard, number=asked.number, attempt=asked.attempt, table=table, round=ROUND,
            vantage=self.source,
        )  # fmt: skip

    def _end(self, task: _Task, register_digest: str, *, complete: bool) -> None:
        task.counts.send_seconds = time.monotonic() - task.began
        asked = task.message
        counts = rows.counts(task.counts, round=ROUND, vantage=self.source, register_digest=register_digest)
        counts["harm_probes"] = task.probes
        self.fanout.cooled(asked.shard, asked.number, asked.attempt, counts, complete=complete)


#: How each step is done.
DO: dict[str, Callable[[HarmChecks, _Checked, float], None]] = {
    VISIT: HarmChecks._visit,
    BEFORE: HarmChecks._ask,
    AFTER: HarmChecks._ask,
}


def _epoch_us() -> int:
    return time.time_ns() // 1000
