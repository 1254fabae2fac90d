"""Rows on their way to Parquet: journals while a range runs, parts when it is done, one sorted table at the seal."""

import hashlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import schema
from pipeline.lake import store

#: Finished conversations are committed to the journal as a group, this often (DESIGN §8).
COMMIT_SECONDS = 0.1


class Journal:
    """An append-only Arrow stream: what was committed survives a crash of the writer."""

    def __init__(self, path: Path, table: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")
        self._stream = pa.ipc.new_stream(self._file, schema.table(table).arrow)
        self._committed = time.monotonic()
        self._dirty = True

    def append(self, rows: pa.RecordBatch) -> None:
        """Add rows; they are durable after the next commit."""
        self._stream.write_batch(rows)
        self._dirty = True

    def commit(self, *, force: bool = False) -> None:
        """Make what was added durable, if it is time."""
        now = time.monotonic()
        if self._dirty and (force or now - self._committed >= COMMIT_SECONDS):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._committed, self._dirty = now, False

    def close(self) -> None:
        """End the stream durably."""
        self._stream.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def read_journal(path: Path, table: str) -> pa.Table:
    """The rows of a journal, up to where it was cut off; none if there is no journal."""
    batches: list[pa.RecordBatch] = []
    try:
        with path.open("rb") as file, pa.ipc.open_stream(file) as stream:
            batches.extend(stream)
    except (FileNotFoundError, pa.ArrowInvalid, OSError):
        pass  # a crash cuts the last message; what stands before it is whole
    return pa.Table.from_batches(batches, schema.table(table).arrow)


def tidy(tables: Iterable[pa.Table], table: str) -> pa.Table:
    """Join tables: each key once (its first row stands), sorted as the schema says."""
    described = schema.table(table)
    joined = pa.concat_tables(tables).combine_chunks()
    order = pa.array(range(len(joined)), pa.int64())
    keyed = joined.append_column("_order", order)
    first = keyed.group_by(list(described.key)).aggregate([("_order", "min")])["_order_min"]
    chosen = joined.take(first.combine_chunks().sort() if len(first) else pa.array([], pa.int64()))
    ordered = chosen.sort_by([(name, "ascending") for name in described.sort])
    return ordered.replace_schema_metadata(described.arrow.metadata)


@dataclass(frozen=True, slots=True)
class Part:
    """A Parquet file as receipts and manifests name it."""

    table: str
    file: str
    rows: int
    sha256: str


def write(path: Path, rows: pa.Table, table: str, sweep: str) -> Part:
    """Write rows as one zstd Parquet file, whole or not at all."""
    return write_pieces(path, [rows], table, sweep)


def write_pieces(path: Path, pieces: Iterable[pa.Table], table: str, sweep: str) -> Part:
    """The same of rows that come in pieces, of which one at a time is held in memory."""
    described = schema.table(table)
    metadata = {**described.arrow.metadata, b"census.sweep": sweep.encode()}
    sink = pa.BufferOutputStream()
    sorting = [pq.SortingColumn(described.arrow.get_field_index(name)) for name in described.sort]
    arrow, size = described.arrow.with_metadata(metadata), 0
    with pq.ParquetWriter(
        sink, arrow, compression="zstd", sorting_columns=sorting or None, write_page_checksum=True
    ) as writer:
        for rows in pieces:
            writer.write_table(rows.cast(described.arrow).replace_schema_metadata(metadata))
            size += len(rows)
    data = sink.getvalue()
    store.write(path, data)
    return Part(table, path.name, size, hashlib.sha256(data).hexdigest())


def from_rows(rows: list[dict[str, Any]], table: str) -> pa.RecordBatch:
    """Plain rows as a record batch of the table's schema; keys that it lacks are left out."""
    arrow = schema.table(table).arrow
    return pa.RecordBatch.from_pylist([{name: row.get(name) for name in arrow.names} for row in rows], schema=arrow)
