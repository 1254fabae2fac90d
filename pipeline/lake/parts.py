"""Rows on their way to Parquet: journals while a range runs, parts when it is done, one sorted table when the sweep is sealed."""

import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import schema
from pipeline.lake import inside, schema_versions, store
from pipeline.lake.bucket import ObjectPath
from pipeline.lake.store import Location
from pipeline.record.receipt import Part

#: Finished conversations are committed to the journal as a group, this often (docs/architecture.md).
COMMIT_SECONDS = 0.1
#: `benchmarks.bytes` compares them. A higher level saves nothing. All threads can read row groups of DuckDB's own size; they
#: cost half a percent more bytes.
ZSTD_LEVEL = 3
GROUP_ROWS = 122_880
#: Rows that are sorted at once when parts are joined: some 200 MB.
PIECE_ROWS = 1_000_000


class Journal(Protocol):
    """An append-only store of an attempt's rows of one table: what was committed survives a crash of the writer."""

    def append(self, rows: pa.RecordBatch) -> None:
        """Add rows; they are durable after the next commit."""

    def commit(self, *, force: bool = False) -> None:
        """Make what was added durable, if it is time."""

    def close(self) -> None:
        """Make all of it durable; no more will come."""


def journal(path: Location, table: str) -> Journal:
    """Open a new journal: one file in a folder, or one object per commit in a bucket."""
    return FileJournal(path, table) if isinstance(path, Path) else ObjectJournal(path, table)


class FileJournal:
    """A journal as an Arrow stream in a file."""

    def __init__(self, path: Path, table: str) -> None:
        self._file = os.fdopen(inside.open_file(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb")
        self._stream = pa.ipc.new_stream(self._file, schema.table(table).arrow)
        self._committed = time.monotonic()
        self._dirty = True

    def append(self, rows: pa.RecordBatch) -> None:
        """Add rows."""
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


class ObjectJournal:
    """A journal as numbered objects, an Arrow stream each; numbers sort as they came."""

    def __init__(self, path: ObjectPath, table: str) -> None:
        self._path, self._schema = path, schema.table(table).arrow
        self._batches: list[pa.RecordBatch] = []
        self._number = 0
        self._committed = time.monotonic()

    def append(self, rows: pa.RecordBatch) -> None:
        """Add rows."""
        self._batches.append(rows)

    def commit(self, *, force: bool = False) -> None:
        """Put what was added, if enough time has passed since the last put: the writer has other work as well."""
        if not self._batches or not (force or time.monotonic() - self._committed >= COMMIT_SECONDS):
            return
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self._schema) as stream:
            for rows in self._batches:
                stream.write_batch(rows)
        self._path.with_name(f"{self._path.name}.{self._number:08d}").put(sink.getvalue().to_pybytes())
        self._batches, self._number, self._committed = [], self._number + 1, time.monotonic()

    def close(self) -> None:
        """Put the rest."""
        self.commit(force=True)


def read_journal(path: Location, table: str) -> pa.Table:
    """Read the rows of a journal, up to where it was cut off; none if there is no journal."""
    batches: list[pa.RecordBatch] = []
    arrow = schema.table(table).arrow
    for piece in _pieces(path):
        try:
            with pa.ipc.open_stream(store.content(piece)) as stream:
                batches.extend(_sound(stream, arrow))
        except (pa.ArrowException, OSError):
            pass  # a crash cuts the last message; what is before it is whole
    return pa.Table.from_batches(batches, arrow)


def _sound(stream: Iterable[pa.RecordBatch], arrow: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield batches of a table, each checked whole: nothing that was damaged is read past its end."""
    for batch in stream:
        if not batch.schema.equals(arrow):
            return
        batch.validate(full=True)
        yield batch


def last_commit(path: Location) -> datetime | None:
    """Return when rows were last added to a journal, by the clock of its file system or bucket; None if there is no journal."""
    return max(filter(None, map(store.changed_at, _pieces(path))), default=None)


def _pieces(path: Location) -> list[Location]:
    """Return the files or objects of a journal, in order."""
    return [path] if isinstance(path, Path) else store.entries(path.parent, f"{path.name}.*")


def forget(path: Location) -> None:
    """Remove a journal, if there is one."""
    if isinstance(path, Path):
        inside.unlink(path, missing_ok=True)
    else:
        store.remove(path)


def tidy(tables: Iterable[pa.Table], table: str) -> pa.Table:
    """Join tables and sort them as the schema says; of several rows with one key, keep the first."""
    described = schema.table(table)
    joined = pa.concat_tables(tables).combine_chunks()
    keys = joined.select(list(dict.fromkeys((*described.sort, *described.key))))
    order = pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in keys.column_names])  # a stable sort
    first = _begins(keys.take(order))
    return joined.take(order.filter(first)).replace_schema_metadata(described.arrow.metadata)


def _begins(ordered: pa.Table) -> pa.Array:
    """Return which rows differ from the row before; shape (n,)."""
    begins = np.zeros(len(ordered), dtype=np.bool_)
    begins[:1] = True
    for column in ordered.combine_chunks().columns:
        this, before = column[1:], column[:-1]
        differs = pc.coalesce(pc.not_equal(this, before), pc.xor(this.is_null(), before.is_null()))
        begins[1:] |= np.asarray(differs)
    return pa.array(begins)


def merged(files: Sequence[Path], table: str) -> Iterator[pa.Table]:
    """Yield the rows of many parts as `tidy` returns them, in pieces of about PIECE_ROWS, one at a time in memory.

    Each piece is an interval of the values of the first sort column, so that no key is in two pieces.
    """
    import pyarrow.dataset as ds  # takes as long as the rest of this module, and a process that only writes never needs it

    first = schema.table(table).sort[0]
    damage_named = partial(schema_versions.damage_named, Path(os.path.commonpath(files)), table)
    with damage_named():
        source = ds.dataset([str(file) for file in files], format="parquet", schema=schema.table(table).arrow)
        bounds = _bounds(files, first)
    below: Any = None
    for bound in [*bounds, None]:
        lower = ds.scalar(True) if below is None else ds.field(first) >= below
        upper = ds.scalar(True) if bound is None else ds.field(first) < bound
        with damage_named():
            rows = source.to_table(filter=lower & upper)
        yield tidy([rows], table)
        below = bound


def _bounds(files: Sequence[Path], column: str) -> list[Any]:
    """Return bounds that cut a column's values into intervals of about PIECE_ROWS rows, estimated from a sample of that size."""
    total = sum(pq.read_metadata(file).num_rows for file in files)
    if total <= PIECE_ROWS:
        return []
    step = -(-total // PIECE_ROWS)
    sample = pa.concat_arrays(
        [chunk.take(pa.array(range(0, len(chunk), step))) for file in files
         for chunk in pq.read_table(file, columns=[column], partitioning=None)[column].chunks]
    ).sort()  # fmt: skip
    return list(dict.fromkeys(sample[len(sample) * number // step].as_py() for number in range(1, step)))


def write(path: Location, rows: pa.Table, table: str, sweep: str, *, digest: str = "", explained: bool = True) -> Part:
    """Write rows as one zstd Parquet file, whole or not at all; `digest` is that of the sweep's plan.

    The file explains its columns, which costs some 10 kB: a part, which only the program reads, need not be `explained`.
    """
    return write_pieces(path, [rows], table, sweep, digest=digest, explained=explained)


def write_pieces(
    path: Location, pieces: Iterable[pa.Table], table: str, sweep: str, *, digest: str = "", explained: bool = True
) -> Part:
    """Write rows that come in pieces, as `write` does, with one piece at a time in memory."""
    described = schema.table(table)
    metadata = {**described.arrow.metadata, b"census.sweep": sweep.encode(), b"census.plan_digest": digest.encode()}
    sorting = [pq.SortingColumn(described.arrow.get_field_index(name)) for name in described.sort]
    arrow, size = (schema.explained(described) if explained else described.arrow).with_metadata(metadata), 0
    with store.replacing(path) as temporary:
        with pq.ParquetWriter(
            temporary, arrow, compression="zstd", compression_level=ZSTD_LEVEL, sorting_columns=sorting or None,
            write_page_checksum=True, **encodings(described),
        ) as writer:  # fmt: skip
            for rows in pieces:
                writer.write_table(rows.cast(described.arrow).replace_schema_metadata(metadata), GROUP_ROWS)
                size += len(rows)
        with temporary.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Part(table, path.name, size, digest)


def encodings(table: schema.Table) -> dict[str, Any]:
    """Return how each column is encoded, as arguments of a Parquet writer; `benchmarks.bytes` shows what that saves.

    Values of the first sort column and times are close to each other, so their differences are stored. All other values repeat,
    so they go through a dictionary. BYTE_STREAM_SPLIT of integers is not used: DuckDB 1.5 cannot read it.
    """
    differences = {field.name: "DELTA_BINARY_PACKED" for field in table.arrow if pa.types.is_timestamp(field.type)}
    if table.sort and pa.types.is_integer(table.arrow.field(table.sort[0]).type):
        differences[table.sort[0]] = "DELTA_BINARY_PACKED"
    repeating = [field for field in table.arrow if pa.types.is_nested(field.type) or field.name not in differences]
    return {"column_encoding": differences, "use_dictionary": [path for field in repeating for path in _leaves(field)]}


def _leaves(field: pa.Field, path: str = "") -> list[str]:
    """Return the paths of the columns that Parquet makes of a field."""
    here = f"{path}.{field.name}" if path else field.name
    if pa.types.is_list(field.type):
        return _leaves(pa.field("element", field.type.value_type), f"{here}.list")
    if pa.types.is_struct(field.type):
        return [leaf for member in field.type for leaf in _leaves(member, here)]
    return [here]


def from_rows(rows: list[dict[str, Any]], table: str) -> pa.RecordBatch:
    """Turn plain rows into a record batch of the table's schema; keys that the schema lacks are left out."""
    return pa.RecordBatch.from_pylist(rows, schema=schema.table(table).arrow)
