"""Finished conversations as rows of the lake's tables, whoever held them."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipeline.lake import parts
from pipeline.lake.store import Sweep
from pipeline.outcome import Transport
from pipeline.space.plan import Plan
from pipeline.wire.outgoing import Outgoing

Row = Mapping[str, Any]


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


def by_table(rows: list[dict[str, Any]], *, round: int) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The tables that conversations of a round have rows in, with these rows."""
    chosen = {
        "responses": rows if round == 1 else [],
        "associations": [row for row in rows if row["like_dicom"]],
        "banners": [row for row in rows if row["banner"] is not None and round == 1],
        "tls": [row for row in rows if row["tls"]],
    }
    yield from ((table, parts.from_rows(its_rows, table)) for table, its_rows in chosen.items() if its_rows)


def known(place: Sweep, shard: int, number: int, attempt: int) -> set[tuple[int, int]]:
    """The (address, port) of all conversations that earlier attempts at a range finished."""
    key = f"{shard:03d}-{number:06d}"
    found: set[tuple[int, int]] = set()
    for earlier in range(1, attempt):
        for table in ("responses", "tls"):
            rows = parts.read_journal(place.journal(key, earlier, table), table)
            found |= set(zip(rows["ip"].to_pylist(), rows["port"].to_pylist(), strict=True))
    return found
