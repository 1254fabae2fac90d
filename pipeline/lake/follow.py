"""The rows of a sweep's table as its ranges are done, each once: of a sealed sweep, or of one that is running."""

import time
from collections.abc import Iterator
from typing import Any

from pipeline import schema
from pipeline.lake import receipts, schema_versions
from pipeline.lake.layout import SweepPaths

#: Seconds between looks for ranges that are done since: each look lists every receipt.
LOOK_SECONDS = 2.0


def rows(paths: SweepPaths, table: str, *, until_sealed: bool = False) -> Iterator[dict[str, Any]]:
    """Yield the rows of the ranges that are done, as dicts of today's columns; with `until_sealed` go on until the sweep is sealed.

    A row is known by its key, since sealing copies the rows of all parts into one file.
    """
    files: set[str] = set()
    keys: set[tuple[Any, ...]] = set()
    key_columns = schema.table(table).key
    while True:
        last = not until_sealed or paths.sealed("sweeps").exists()
        for row in _of_new_files(paths, table, files):
            key = tuple(row[name] for name in key_columns)
            if key not in keys:
                keys.add(key)
                yield row
        if last:
            return
        time.sleep(LOOK_SECONDS)


def _of_new_files(paths: SweepPaths, table: str, files: set[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of files that are not yet in `files`, which they are added to."""
    for file in receipts.files(paths, table):
        if str(file) in files:
            continue
        try:
            read = schema_versions.read(file, table, ())
        except FileNotFoundError:
            return  # sealed meanwhile: the next look finds the sealed file
        files.add(str(file))
        for batch in read.to_batches():
            yield from batch.to_pylist()
