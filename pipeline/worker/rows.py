"""Turn finished conversations into rows of the lake's tables."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import schema
from pipeline.lake import parts
from pipeline.lake.layout import SweepPaths
from pipeline.lake.store import Location
from pipeline.outcome import ACCEPTS_DATA, Transport
from pipeline.plan.plan import Plan
from pipeline.probe.result import Result
from pipeline.record.receipt import Counts
from pipeline.record.rounds import VISITS_TABLES, Round
from pipeline.record.visit import banner
from pipeline.space.ranges import U64
from pipeline.space.shard import range_key
from pipeline.wire.guess import guess
from pipeline.wire.outgoing import Outgoing

Row = Mapping[str, Any]
#: Columns of `responses` that come from a host's SYN-ACK, and their names in a result's rows.
KEPT = {"ip": "address", "port": "port", "answered_at": "answered_at", "ttl": "ttl", "window": "window"}


@dataclass(frozen=True, slots=True)
class Origin:
    """What all conversations of one process share."""

    plan: Plan
    worker: str
    request_sha256: str

    @classmethod
    def of(cls, plan: Plan, worker: str, outgoing: Outgoing) -> "Origin":
        """Return the origin of the rows of a worker's process."""
        return cls(plan, worker, hashlib.sha256(outgoing.request).hexdigest())

    def columns(self, *, vantage: str, secured: bool, register_digest: str) -> dict[str, Any]:
        """Return the origin of a conversation, as columns of `associations` and `tls`."""
        return {
            "vantage": vantage,
            "worker": self.worker,
            "profile": self.plan.settings.profile,
            "transport": Transport.TLS if secured else Transport.TCP,
            "code_version": self.plan.code_version,
            "request_sha256": self.request_sha256,
            "register_digest": register_digest,
        }


def by_table(rows: list[dict[str, Any]], *, round: Round) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Yield each table that conversations of a round have rows in, with these rows."""
    tables = {
        "responses": rows if round is not Round.SECOND_VISITS else [],
        "associations": [row for row in rows if row["like_dicom"]],
        "banners": [row for row in rows if row["banner"] is not None and round is not Round.SECOND_VISITS],
        "tls": [row for row in rows if row["tls"]],
    }
    yield from ((table, parts.from_rows(its_rows, table)) for table, its_rows in tables.items() if its_rows)


def settled(results: Sequence[Result]) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Yield each table that results without DICOM have rows in, with these rows, built column by column."""
    keys = {data: banner(data) for data in {result.end.banner for result in results}}
    kinds = {
        "outcome": [str(result.end.outcome) for result in results],
        "close_kind": [str(result.end.kind) for result in results],
        "close_stage": [str(result.end.stage) for result in results],
        "banner": [keys[result.end.banner] for result in results],
    }
    which = pa.array(np.repeat(np.arange(len(results)), [len(result.rows) for result in results]))
    arrow = schema.table("responses").arrow
    arrays = [
        pa.array(np.concatenate([result.rows[KEPT[field.name]] for result in results])).cast(field.type)
        if field.name in KEPT
        else pa.array(kinds[field.name], field.type).take(which)
        for field in arrow
    ]
    yield "responses", pa.RecordBatch.from_arrays(arrays, schema=arrow)
    banners = [{"banner": key, "bytes": data, "guess": guess(data)} for data, key in keys.items() if key is not None]
    if banners:
        yield "banners", parts.from_rows(banners, "banners")


@dataclass(frozen=True, slots=True)
class PendingRows:
    """The results of conversations with targets of one range, on their way to the writer."""

    settled: list[Result] = field(default_factory=list)
    talked: list[dict[str, Any]] = field(default_factory=list)

    def tables(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield each table that they have rows in, with these rows."""
        if self.settled:
            yield from settled(self.settled)
        yield from by_table(self.talked, round=Round.PROBES)


def known(paths: SweepPaths, shard: int, number: int, attempt: int) -> set[tuple[int, int]]:
    """Return the (address, port) of all conversations that earlier attempts at a range finished."""
    key = range_key(shard, number)
    finished: set[tuple[int, int]] = set()
    for earlier in range(1, attempt):
        for table in VISITS_TABLES:
            finished |= _targets(paths.journal(key, earlier, table), table)
    return finished


def outcomes(paths: SweepPaths, shard: int, number: int, attempt: int) -> Counter[str]:
    """Return how many hosts earlier attempts at a range visited, by outcome, counted as workers count while they run."""
    key = range_key(shard, number)
    journals = (paths.journal(key, earlier, "responses") for earlier in range(1, attempt))
    counted = Counter(
        str(outcome) for path in journals for outcome in parts.read_journal(path, "responses")["outcome"].to_pylist()
    )
    return counted + Counter(responsive=counted.total())


def _targets(journal: Location, table: str) -> set[tuple[int, int]]:
    rows = parts.read_journal(journal, table)
    return set(zip(rows["ip"].to_pylist(), rows["port"].to_pylist(), strict=True))


def checked(
    paths: SweepPaths, shard: int, number: int, attempt: int
) -> tuple[set[tuple[int, int]], dict[tuple[int, int], datetime]]:
    """Return what earlier attempts at a range of harm checks did.

    The targets that they finished, and the targets that they visited, each with the latest time of its visit.
    """
    key = range_key(shard, number)
    finished: set[tuple[int, int]] = set()
    visited: dict[tuple[int, int], datetime] = {}
    for earlier in range(1, attempt):
        finished |= _targets(paths.journal(key, earlier, "harm"), "harm")
        for table in VISITS_TABLES:
            journal = paths.journal(key, earlier, table)
            ended = parts.last_commit(journal)
            if ended is not None:
                visited |= dict.fromkeys(_targets(journal, table), ended)
    return finished, visited


def accompanied(paths: SweepPaths, shard: int, number: int, attempt: int) -> set[tuple[int, int]]:
    """Return the targets of companion SYNs that earlier attempts at a range finished."""
    key, table = range_key(shard, number), Round.COMPANIONS.table
    journals = (paths.journal(key, earlier, table) for earlier in range(1, attempt))
    return {target for journal in journals for target in _targets(journal, table)}


def took(second_syns: pa.Table, responses: pa.Table) -> tuple[int, int]:
    """Return how many targets took our request after the first SYN, of those with a second one, and how many answered that too."""
    accepting = responses.filter(pc.is_in(responses["outcome"], pa.array(sorted(ACCEPTS_DATA))))
    first = second_syns.filter(second_syns["answered_first"])
    took_it = np.isin(_keys(first), _keys(accepting))
    return int(took_it.sum()), int((took_it & first["answered_second"].to_numpy()).sum())


def _keys(targets: pa.Table) -> U64:
    """Return a number for each (address, port), shape (n,)."""
    ip, port = (np.asarray(targets[name], np.uint64) for name in ("ip", "port"))
    return ip << np.uint64(16) | port


def counts(sent: Counts, *, round: Round, vantage: str, register_digest: str) -> Counts:
    """Return the counts of a range with its round, vantage and register."""
    return msgspec.structs.replace(sent, round=round, vantage=vantage, register_digest=register_digest)
