"""The fourth round, companion SYNs: which other ports are open at an address that spoke DICOM.

```
visited ─ delay → SYN to the first port ─ delay / ports → SYN to the second port ─ …
```

One SYN without data, never repeated, never on two ports at once; a SYN-ACK is reset, and nothing more follows. A SYN that cannot
leave in time leaves no more: by then another host may have the address. The SYNs leave through the engine.
"""

import heapq
import time
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa

from pipeline.config.sections import CompanionsSection
from pipeline.lake import parts
from pipeline.lake.visit_log import VisitLog
from pipeline.outcome import CompanionAnswer
from pipeline.probe.liveness import Liveness, LivenessCheck, Target
from pipeline.record.receipt import Counts
from pipeline.record.rounds import Round
from pipeline.space.permit import Permit
from pipeline.transport import messages
from pipeline.worker import rows
from pipeline.worker.fanout import Fanout


@dataclass(slots=True)
class _CompanionRange:
    """One range of the round."""

    message: messages.Rows
    counts: Counts
    began: float
    open: int
    """Targets that are not done."""


@dataclass(frozen=True, slots=True)
class _Companion:
    """One port of an address: when the visit before it began, and until when the SYN may leave, by the monotonic clock."""

    range: _CompanionRange
    target: Target
    visited_at: datetime
    until: float


@dataclass(slots=True)
class CompanionSyns:
    """Drive it with `tick`. Times are seconds of the monotonic clock; many ranges are open at once."""

    fanout: Fanout
    log: VisitLog
    check: LivenessCheck
    settings: CompanionsSection
    source: str
    _due: list[tuple[float, int, _Companion]] = field(default_factory=list)
    _checking: dict[Target, _Companion] = field(default_factory=dict)
    _ranges: list[_CompanionRange] = field(default_factory=list)
    _number: int = 0

    def begin(self, message: messages.Rows, targets: pa.RecordBatch) -> None:
        """Take the targets of a range, except those that an earlier attempt has finished."""
        now, epoch = time.monotonic(), time.time()
        finished = rows.accompanied(self.log.paths, message.shard, message.number, message.attempt)
        self.log.open(message.shard, message.number, message.attempt)
        range_ = _CompanionRange(message, Counts(started_at=int(epoch * 1e6)), now, 0)
        self._ranges.append(range_)
        for row in targets.to_pylist():
            target = row["ip"], row["port"]
            if target not in finished:
                since = row["visited_at"].timestamp() - epoch
                offset, until = self.settings.offset(row["number"]), now + since + self.settings.latest
                # The ports of an address keep their distance even if they are late. No longer than the offset, even if the wall
                # clock was set back meanwhile.
                wait = min(max(since + offset, offset - self.settings.delay), offset)
                self._push(_Companion(range_, target, row["visited_at"], until), now + wait)
                range_.open += 1

    def tick(self, permit: Permit, register_digest: str) -> None:
        """Do what is due, take the results, and end the ranges that are over."""
        now = time.monotonic()
        for result in self.check.results(now):
            self._keep(result, now)
        while self._due and self._due[0][0] <= now and not permit.pause_reason:
            companion = heapq.heappop(self._due)[2]
            withheld = permit.withheld.contains(np.array([companion.target[0]], dtype=np.uint32))[0]
            if withheld or now > companion.until:
                self._over(companion, {})
            else:
                self._send(companion, now)
        for range_ in [range_ for range_ in self._ranges if not range_.open]:
            self._ranges.remove(range_)
            self._end(range_, register_digest, complete=True)

    def end(self, register_digest: str) -> None:
        """Stop; a later attempt takes what is not over."""
        now = time.monotonic()
        for result in self.check.results(now):
            self._keep(result, now)
        for companion in self._checking.values():
            companion.range.counts.companion_probes += self.check.syns_to(companion.target)
        for range_ in self._ranges:
            self._end(range_, register_digest, complete=False)
        self._ranges.clear()

    def _push(self, companion: _Companion, at: float) -> None:
        self._number += 1
        heapq.heappush(self._due, (at, self._number, companion))

    def _send(self, companion: _Companion, now: float) -> None:
        """Have the engine send the SYN as soon as there is budget; it is logged first, so that a crash cannot hide it."""
        if not self.check.add(companion.target):
            self._push(companion, now + self.check.patience)
            return
        task, (ip, port) = companion.range.message, companion.target
        self.log.note(task.shard, task.number, np.array([ip], dtype=np.uint32), np.array([port], dtype=np.uint16))
        self._checking[companion.target] = companion

    def _keep(self, result: Liveness, now: float) -> None:
        """Keep what came back."""
        companion = self._checking.pop(result.target)
        companion.range.counts.companion_probes += result.syns
        if not result.syns:
            self._over(companion, {})
            return
        answer = CompanionAnswer.CLOSED if result.refused else CompanionAnswer.OPEN
        if result.ttl is None:
            answer = CompanionAnswer.SILENT
        sent_at = time.time_ns() // 1000 - int((now - result.sent_at) * 1e6)
        self._over(companion, {"sent_at": sent_at, "answer": str(answer), "ttl": result.ttl})

    def _over(self, companion: _Companion, seen: dict[str, object]) -> None:
        """Have the writer keep a row: nothing more is sent there."""
        ip, port = companion.target
        row = {"ip": ip, "port": port, "visited_at": companion.visited_at, **seen}
        task = companion.range.message
        message = messages.Rows(
            shard=task.shard, number=task.number, attempt=task.attempt, table=Round.COMPANIONS.table,
            round=Round.COMPANIONS, vantage=self.source,
        )  # fmt: skip
        self.fanout.rows(message, parts.from_rows([row], Round.COMPANIONS.table))
        companion.range.open -= 1

    def _end(self, range_: _CompanionRange, register_digest: str, *, complete: bool) -> None:
        task = range_.message
        self.log.close(task.shard, task.number)
        range_.counts.send_seconds = time.monotonic() - range_.began
        counts = rows.counts(
            range_.counts, round=Round.COMPANIONS, vantage=self.source, register_digest=register_digest
        )
        self.fanout.cooled(task.shard, task.number, task.attempt, counts, complete=complete)
