"""Void receipts: ranges that were finished while nothing could come back, and that are run again.

A void range becomes what a range is whose attempt was cut off: its rows are a journal again, its counts those of an attempt that
ended, and it has no receipt. So the next attempt visits nobody twice, and no row is lost or counted twice. Hosts that did not even
acknowledge our request are the exception: that may be our own path's doing. Their rows are left out, they are visited again, and the
next receipt counts that as `revisited`.

A record is written first. It is what remains of the receipt, and what a crash in the middle is finished by. Results of harm checks
and answers to companion SYNs are not kept: a host that did not answer then may answer now.
"""

import time
from collections.abc import Iterable, Sequence

import msgspec
import pyarrow.compute as pc

from pipeline.lake import parts, schema_versions, store
from pipeline.lake.layout import SweepPaths
from pipeline.lake.receipts import Attempt, read_receipt
from pipeline.outcome import Outcome
from pipeline.record.receipt import Receipt
from pipeline.record.rounds import VISITS_TABLES, Round
from pipeline.space.shard import range_key
from pipeline.untrusted import bounded


class VoidRecord(msgspec.Struct, frozen=True):
    """A receipt that is void: since when, in microseconds since the epoch, and why."""

    voided_at: int
    reason: str
    receipt: Receipt

    @property
    def key(self) -> str:
        """The key of the range."""
        return range_key(self.receipt.shard, self.receipt.range)


def void(paths: SweepPaths, receipts: Sequence[Receipt], reason: str) -> None:
    """Make receipts void, so that their ranges are pending again."""
    records = [VoidRecord(time.time_ns() // 1000, reason, receipt) for receipt in receipts]
    for record in records:
        store.write(paths.void(record.key, record.receipt.attempts), msgspec.json.encode(record))
    for record in records:
        _complete(paths, record)


def complete(paths: SweepPaths, host: str) -> None:
    """Finish what a crash cut off while a machine made receipts void."""
    for record in standing(paths):
        if record.receipt.host == host:
            _complete(paths, record)


def standing(paths: SweepPaths) -> Iterable[VoidRecord]:
    """Yield the records of receipts that are void and still there."""
    for record in records(paths):
        receipt = read_receipt(paths, record.key)
        if receipt and receipt.attempts == record.receipt.attempts:
            yield record


def records(paths: SweepPaths) -> list[VoidRecord]:
    """Return the records of all receipts that were ever void, by range and attempt."""
    entries = store.entries(paths.voids, "*.json")
    return [
        bounded.json(data, VoidRecord, str(path)) for path, data in zip(entries, store.contents(entries), strict=True)
    ]


def count(paths: SweepPaths) -> int:
    """Return how many receipts were ever void."""
    return len(store.entries(paths.voids, "*.json"))


def _complete(paths: SweepPaths, record: VoidRecord) -> None:
    """Give a range back its journals and notes of its attempts, then take its receipt away."""
    receipt, key = record.receipt, record.key
    again = 0
    for part in receipt.parts:
        if part.table == Round.COMPANIONS.table:
            rows = schema_versions.read(paths.part(part.table, part.file), part.table, ["sent_at"])
            again += len(rows) - rows["sent_at"].null_count
        elif (receipt.round, part.table) != (Round.HARM_CHECKS, "harm"):
            again += _journal(paths, part.table, part.file, key, receipt.attempts)
    for number in range(1, receipt.attempts):
        store.write(paths.attempt(key, number), msgspec.json.encode(Attempt()))
    now = receipt.probes_sent + receipt.companion_probes
    sent = None if receipt.probes_abandoned is None else now + receipt.probes_abandoned
    revisited = None if receipt.revisited is None else receipt.revisited + again
    last = Attempt(probes_sent=sent, revisited=revisited)
    store.write(paths.attempt(key, receipt.attempts), msgspec.json.encode(last))
    store.unlink(paths.receipt(key))


def _journal(paths: SweepPaths, table: str, file: str, key: str, attempt: int) -> int:
    """Turn a part into a journal of an attempt at its range; return the number of rows left out, of hosts to be visited again."""
    part = schema_versions.read(paths.part(table, file), table)
    rows = part
    if table in VISITS_TABLES:
        rows = part.filter(pc.not_equal(part["outcome"], str(Outcome.UNACKNOWLEDGED)))
    journal = parts.journal(paths.journal(key, attempt, table), table)
    for batch in rows.to_batches():
        journal.append(batch)
    journal.close()
    return len(part) - len(rows)
