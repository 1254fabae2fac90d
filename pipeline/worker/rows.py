"""Finished conversations as rows of the lake's tables, whoever held them."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from pipeline import schema
from pipeline.lake import parts
from pipeline.lake.layout import SweepPaths
from pipeline.lake.store import Location
from pipeline.outcome import Transport
from pipeline.probe.result import Result
from pipeline.record.receipt import Counts
from pipeline.record.rounds import VISITS_TABLES, Round
from pipeline.record.visit import banner
from pipeline.space.plan import Plan
from pipeline.space.shard import range_key
from pipeline.wire.guess import guess
from pipeline.wire.outgoing import Outgoing

Row = Mapping[str, Any]
#: The columns of `responses` that are kept of a host from its SYN-ACK on, and their names there.
KEPT = {"ip": "address", "port": "port", "answered_at": "answered_at", "ttl": "ttl", "window": "window"}


@dataclass(frozen=True, slots=True)
class Origin:
    """What all conversations of one process have in common."""

    plan: Plan
    worker: str
    request_sha256: str

    @classmethod
    def of(cls, plan: Plan, worker: str, outgoing: Outgoing) -> "Origin":
        """The origin of what a worker's process learns under a plan."""
        return cls(plan, worker, hashlib.sha256(outgoing.request).hexdigest())

    def columns(self, *, vantage: str, secured: bool, register_digest: str) -> dict[str, Any]:
        """Where a conversation comes from, as columns of `associations` and `tls`."""
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
    """The tables that conversations of a round have rows in, with these rows."""
    chosen = {
        "responses": rows if round is not Round.SECOND_VISITS else [],
        "associations": [row for row in rows if row["like_dicom"]],
        "banners": [row for row in rows if row["banner"] is not None and round is not Round.SECOND_VISITS],
        "tls": [row for row in rows if row["tls"]],
    }
    yield from ((table, parts.from_rows(its_rows, table)) for table, its_rows in chosen.items() if its_rows)


def settled(results: Sequence[Result]) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The tables that hosts which said nothing of DICOM's have rows in, with these rows, made as whole columns."""
    keys = {said: banner(said) for said in {result.end.banner for result in results}}
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
    told = [{"banner": key, "bytes": said, "guess": guess(said)} for said, key in keys.items() if key is not None]
    if told:
        yield "banners", parts.from_rows(told, "banners")


@dataclass(frozen=True, slots=True)
class PendingRows:
    """What came of conversations with targets of one range, on its way to the writer."""

    settled: list[Result] = field(default_factory=list)
    talked: list[dict[str, Any]] = field(default_factory=list)

    def tables(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """The tables that they have rows in, with these rows."""
        if self.settled:
            yield from settled(self.settled)
        yield from by_table(self.talked, round=Round.PROBES)


def known(paths: SweepPaths, shard: int, number: int, attempt: int) -> set[tuple[int, int]]:
    """The (address, port) of all conversations that earlier attempts at a range finished."""
    key = range_key(shard, number)
    found: set[tuple[int, int]] = set()
    for earlier in range(1, attempt):
        for table in VISITS_TABLES:
            found |= _targets(paths.journal(key, earlier, table), table)
    return found


def _targets(journal: Location, table: str) -> set[tuple[int, int]]:
    rows = parts.read_journal(journal, table)
    return set(zip(rows["ip"].to_pylist(), rows["port"].to_pylist(), strict=True))


def checked(
    paths: SweepPaths, shard: int, number: int, attempt: int
) -> tuple[set[tuple[int, int]], dict[tuple[int, int], datetime]]:
    """Of a range of the harm check: the targets that earlier attempts are done with, and by when at the latest they visited which."""
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


def counts(sent: Counts, *, round: Round, vantage: str, register_digest: str) -> Counts:
    """Return the counts of a range with where and under which register they were made."""
    return msgspec.structs.replace(sent, round=round, vantage=vantage, register_digest=register_digest)
