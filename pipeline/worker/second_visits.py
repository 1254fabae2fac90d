"""The second round: one more visit, through TLS, to the hosts of a shard whose first visit gave a reason for it.

No probe precedes these visits. They are paced here, like everything that the engine sends. The same limits and the same register
apply to them as to any other visit.
"""

import time
from dataclasses import dataclass, field

import pyarrow as pa

from pipeline.probe.pacer import Pacer
from pipeline.record.receipt import Counts
from pipeline.record.rounds import Round
from pipeline.space.permit import Permit
from pipeline.transport import messages
from pipeline.worker import rows
from pipeline.worker.fanout import Fanout


@dataclass(slots=True)
class SecondVisits:
    """Passes targets on to the associators at the round's own rate; drive it with `tick`."""

    fanout: Fanout
    pacer: Pacer
    source: str
    _task: messages.Rows | None = None
    _rows: pa.RecordBatch | None = None
    _given: int = 0
    _counts: Counts = field(default_factory=Counts)
    _began: float = 0.0

    @property
    def idle(self) -> bool:
        """Return whether it has no targets in hand and may take others."""
        return self._task is None

    def begin(self, task: messages.Rows, rows: pa.RecordBatch) -> None:
        """Take the targets of a shard; only while idle."""
        now = time.monotonic()
        self._task, self._rows, self._given, self._began = task, rows, 0, now
        self._counts = Counts(started_at=time.time_ns() // 1000)
        self.pacer.resume(now)

    def tick(self, permit: Permit, register_digest: str) -> None:
        """Pass on as many targets as the pacer grants; after the last one, end the range."""
        self.pacer.limit(permit.rate)
        if self._task is None or self._rows is None:
            return
        now = time.monotonic()
        if permit.pause_reason:
            self.pacer.resume(now)
            return
        granted = self.pacer.grant(now, self._rows.num_rows - self._given)
        if granted:
            message = messages.Rows(
                shard=self._task.shard, number=self._task.number, attempt=self._task.attempt,
                table=Round.SECOND_VISITS.table, round=Round.SECOND_VISITS,
                vantage=self.source,
            )  # fmt: skip
            self.fanout.targets(message, self._rows.slice(self._given, granted))
            self._given += granted
        if self._given == self._rows.num_rows:
            self.end(register_digest, complete=True)

    def end(self, register_digest: str, *, complete: bool = False) -> None:
        """Announce that no more of the range will come, if there is one in hand."""
        if self._task is None:
            return
        self._counts.send_seconds = time.monotonic() - self._began
        counts = rows.counts(
            self._counts, round=Round.SECOND_VISITS, vantage=self.source, register_digest=register_digest
        )
        self.fanout.cooled(self._task.shard, self._task.number, self._task.attempt, counts, complete=complete)
        self._task = None
