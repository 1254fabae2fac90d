"""The checksums of a sealed sweep: its row in `sweeps` holds the manifest's hash, the manifest the hash of each table's file.

```
plans/sweep=ID/manifest.json     {"parts": [{"table", "file", "rows", "sha256"}, ...]}
```

The manifest is signed with the seal, and what is derived from it is signed then (`proof`).
"""

import hashlib
from collections.abc import Iterator

import msgspec

from pipeline.lake import schema_versions, store
from pipeline.lake.layout import SweepPaths
from pipeline.lake.store import Location
from pipeline.record.receipt import Part
from pipeline.untrusted import bounded

#: Column of `sweeps` with the SHA-256 of the manifest; sweeps that were sealed before the column existed lack it.
COLUMN = "manifest_sha256"


class SealManifest(msgspec.Struct, frozen=True):
    """The files of a sealed sweep that hold its facts."""

    parts: list[Part]


def put(paths: SweepPaths, parts: list[Part]) -> str:
    """Write the manifest of a sweep, and return its SHA-256."""
    data = msgspec.json.encode(SealManifest(parts))
    store.write(path(paths), data)
    return hashlib.sha256(data).hexdigest()


def faults(paths: SweepPaths) -> Iterator[tuple[str, str]]:
    """Yield each file that differs from what was sealed, and how; nothing if the sweep was sealed without a manifest."""
    rows = schema_versions.read(paths.sealed("sweeps"), "sweeps", [COLUMN])[COLUMN].to_pylist()
    if len(rows) != 1:
        yield str(paths.sealed("sweeps")), f"has {len(rows)} rows, and a sweep has one"
        return
    (promised,) = rows
    if promised is None:
        return
    entry = store.read(path(paths))
    if entry is None or hashlib.sha256(entry[0]).hexdigest() != promised:
        yield str(path(paths)), "is missing" if entry is None else "was changed after the sweep was sealed"
        return
    for part in bounded.json(entry[0], SealManifest, str(path(paths))).parts:
        table = paths.sealed(part.table)
        if not table.exists():
            yield str(table), "is missing, though the manifest names it"
        elif _sha256(table) != part.sha256:
            yield str(table), "was changed after the sweep was sealed"


def path(paths: SweepPaths) -> Location:
    """Return the manifest's file."""
    return paths.plan.with_name("manifest.json")


def _sha256(path: Location) -> str:
    with store.file(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
