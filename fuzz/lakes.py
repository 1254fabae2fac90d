"""Fuzz targets: the files of a lake, which may come from elsewhere. Any bytes give a value, or one error of ours.

A sweep of the lake is in the folder of targets; each target puts one file of it there.
"""

import io
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from fuzz.target import Target, scratch
from pipeline import schema
from pipeline.errors import CensusError
from pipeline.lab.signature import Signature
from pipeline.lake import (
    attestation,
    companion_targets,
    harm_targets,
    leases,
    manifest,
    parts,
    receipts,
    schema_versions,
    visit_log,
    voiding,
)
from pipeline.lake.layout import SweepPaths
from pipeline.optout import anchor
from pipeline.plan import plan as planning
from pipeline.record.receipt import Part, Receipt
from pipeline.status import workers
from pipeline.sweep import reparse
from pipeline.views import marts

EXAMPLES = Path(__file__).parents[1] / "tests" / "data" / "lakes" / "swept"
KEY = "000-000000"


def sweep() -> SweepPaths:
    """The paths of the sweep."""
    return SweepPaths(scratch() / "lake", "20260101T000000Z-fuzz")


def put(path: object, data: bytes) -> None:
    """Write a file of the sweep."""
    there = Path(str(path))
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_bytes(data)


def plan(data: bytes) -> None:
    """Read a plan: what is read is a plan that adds up, and is the same after it is written."""
    with suppress(CensusError):
        read = planning.decode(data, "plan")
        assert planning.decode(planning.encode(read), "plan") == read
    put(sweep().plan, data)
    with suppress(CensusError):
        reparse._planned(sweep())


def receipt(data: bytes) -> None:
    """Read a receipt, an attempt's note, a record of a void receipt, a lease and a worker's progress."""
    paths = sweep()
    put(paths.receipt(KEY), data)
    put(paths.attempt(KEY, 1), data)
    put(paths.void(KEY, 1), data)
    put(paths.progress / "a.json", data)
    for read in (
        lambda: receipts.read_receipt(paths, KEY),
        lambda: receipts.earlier_attempts(paths, KEY, 2),
        lambda: voiding.records(paths),
        lambda: workers.worker_progress(paths),
    ):
        with suppress(CensusError):
            read()
    leases._holder(data)


def proof(data: bytes) -> None:
    """Read the proof of a sweep: nothing that no key has signed is taken for signed."""
    paths = sweep()
    put(paths.sealed("sweeps"), ROW)
    for path in (attestation._seal_path(paths), attestation._derived_path(paths), manifest.path(paths)):
        put(path, data)
    with suppress(CensusError):
        attestation.sentence(paths)
    assert list(attestation.faults(paths))
    put(manifest.path(paths), MANIFEST)


def table(data: bytes) -> None:
    """Read a table: rows of its schema, or one error; as the sweep's own row too."""
    paths = sweep()
    put(paths.sealed("sweeps"), data)
    with suppress(CensusError):
        read = schema_versions.read(paths.sealed("sweeps"), "sweeps")
        assert read.schema.names == schema.table("sweeps").arrow.names
    with suppress(CensusError):
        schema_versions.as_written(paths.sealed("sweeps"), "sweeps")
    with suppress(CensusError):
        list(attestation.faults(paths))


def part(data: bytes) -> None:
    """Read a part of a range as each step does that reads parts: all rows, those of later rounds, and those that marts count."""
    path, associations = Path(str(sweep().sealed("associations"))), schema.table("associations").arrow
    put(path, data)
    readers: tuple[Callable[[], object], ...] = (
        lambda: list(parts.merged([path], "associations")),
        lambda: companion_targets._read([path]),
        lambda: harm_targets._read([path], "associations", associations.names[:2]),
        lambda: marts._columns(sweep(), "associations", associations.names[:2]),
    )
    for read in readers:
        with suppress(CensusError):
            read()


def journal(data: bytes) -> None:
    """Read a journal up to where it is damaged."""
    path = sweep().journal(KEY, 1, "banners")
    put(path, data)
    assert parts.read_journal(path, "banners").schema.names == schema.table("banners").arrow.names


def log(data: bytes) -> None:
    """Count the repeated visits in a log that was cut anywhere."""
    paths = sweep()
    put(paths.work / "journal" / f"{KEY}.1.begun.0", data)
    assert 0 <= visit_log.repeated(paths, KEY) <= len(data)


def head(data: bytes) -> None:
    """Read what this machine keeps of a register."""
    with patch.dict(os.environ, {"XDG_STATE_HOME": str(scratch())}), suppress(CensusError):
        put(anchor._path("register"), data)
        anchor.last("register")


def _rows(name: str) -> pa.Table:
    described = schema.table(name).arrow
    return pa.table([pa.nulls(1, field.type) for field in described], schema=pa.schema(
        [field.with_nullable(True) for field in described], described.metadata))  # fmt: skip


def _parquet(name: str) -> bytes:
    sink = io.BytesIO()
    pq.write_table(_rows(name).select([0, 1, 2]), sink, compression="none", store_schema=False)
    return sink.getvalue()


def _journal() -> list[bytes]:
    sink = pa.BufferOutputStream()
    banners = schema.table("banners").arrow
    with pa.ipc.new_stream(sink, banners) as stream:
        stream.write_batch(parts.from_rows([], "banners"))
    return [sink.getvalue().to_pybytes()]


def _proofs() -> list[bytes]:
    signature = Signature(public_key="00" * 32, value="00" * 64)
    documents = (
        attestation.SealDocument(sweep=sweep().id, plan="a", manifest="b", receipts="c", row="d"),
        attestation.DerivedDocument(sweep=sweep().id, seal="a", files={"b": "c"}),
    )
    texts = [msgspec.json.encode(document).decode() for document in documents]
    return [*(msgspec.json.encode(attestation.SignedFile(text, signature)) for text in texts), MANIFEST]


def _example(pattern: str) -> list[bytes]:
    return [next(EXAMPLES.glob(pattern)).read_bytes()]


def _notes() -> list[bytes]:
    (receipt,) = _example("work/*/receipts/000-000000.json")
    holder = leases.LeaseHolder(worker="a", host="b", process="c/d/1", pid=1)
    void = voiding.VoidRecord(1, "why", msgspec.json.decode(receipt, type=Receipt))
    others = (receipts.Attempt(begun="a"), holder, void, workers.WorkerProgress(holder=holder, counts={"reset": 1}))
    return [receipt, *map(msgspec.json.encode, others)]


ROW, PART = _parquet("sweeps"), _parquet("associations")
MANIFEST = msgspec.json.encode(manifest.SealManifest([Part("responses", "part-0.parquet", 1, "0")]))
SLOW: dict[str, Target] = {
    "plan": Target(plan, (planning.decode, reparse._planned), lambda: _example("plans/*/plan.json")),
    "receipt": Target(
        receipt,
        (receipts.read_receipt, receipts.earlier_attempts, voiding.records, workers.worker_progress, leases._holder),
        _notes,
    ),
    "proof": Target(proof, (attestation.sentence, attestation._read), _proofs),
    "table": Target(table, (schema_versions.read, manifest.faults), lambda: [ROW]),
    "part": Target(part, (parts.merged, companion_targets._read, harm_targets._read, marts._columns), lambda: [PART]),
    "journal": Target(journal, (parts.read_journal,), _journal),
    "visit_log": Target(log, (visit_log.repeated,), lambda: [bytes(range(24))]),
    "head": Target(head, (anchor.last,), lambda: [b'{"where":"a","size":1,"lines":1,"sha256":"b"}']),
}
TARGETS = {name: target._replace(is_quick=False) for name, target in SLOW.items()}
