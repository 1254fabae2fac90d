"""Install a newer database and keep the older ones: a sweep is enriched by the build that its plan names.

`FOLDER/NAME.parquet` is a link to `NAME-BUILD.parquet`. A plan records the link's target, so its database never changes. Beside it
is `NAME-BUILD.json`, with its kind, source, licence, date and digest.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline import host
from pipeline.enrich import database_file, range_table
from pipeline.enrich.database_file import SCHEMAS
from pipeline.enrich.database_kind import DatabaseKind
from pipeline.enrich.partition import Partition
from pipeline.errors import InputError

EVERYWHERE = np.zeros(1, np.uint32), np.full(1, 2**32 - 1, np.uint32)


@dataclass(frozen=True, slots=True)
class Build:
    """An installed database: its build date (ISO 8601), its ranges and addresses, and whether it was installed just now.

    `previous` is the date of the build that it replaces, and `changed` the number of addresses of which the two differ: None if
    there was none.
    """

    name: str
    path: Path
    build_date: str
    sha256: str
    ranges: int
    addresses: int
    new: bool
    previous: str | None = None
    changed: int | None = None


@dataclass(frozen=True, slots=True)
class DatabaseOrigin:
    """Where a database came from (a URL or a file), its licence, and its date if the file does not name its own."""

    source: str
    licence: str = "not stated"
    built: date | None = None


def default_folder() -> Path:
    """Where databases are installed if no folder is named (XDG Base Directory Specification)."""
    return host.folder("XDG_DATA_HOME", ".local/share") / "reference"


def install(
    file: Path, folder: Path, name: str, kind: DatabaseKind = DatabaseKind.COUNTRY, origin: DatabaseOrigin | None = None
) -> Build:
    """Install a database if it is newer than the installed one. Raises InputError if it is older, or not of its kind."""
    origin = origin or DatabaseOrigin(str(file))
    table, facts = database_file.read(file, kind, origin.built)
    stem = f"{name}-{facts['build_date']}-{facts['sha256'][:8]}"
    link, path = folder / f"{name}.parquet", folder / f"{stem}.parquet"
    used = range_table.read(link, SCHEMAS[kind], kind) if link.exists() else None
    new = used is None or link.resolve() != path.resolve()
    if new and used and used[1]["build_date"] > facts["build_date"]:
        raise InputError(
            str(file),
            f"was built {facts['build_date']}, but {link} is newer ({used[1]['build_date']}); remove the link to install it",
        )
    if new:
        folder.mkdir(parents=True, exist_ok=True)
        _write(table, path, facts | {"licence": origin.licence, "source": origin.source})
        _describe(folder / f"{stem}.json", kind, facts, origin)
        _link(link, path)
    return Build(
        name, path, facts["build_date"], facts["sha256"], len(table), _addresses(table), new,
        used[1]["build_date"] if used else None, _changed(used[0], table) if used else None,
    )  # fmt: skip


def _write(table: pa.Table, path: Path, facts: Mapping[str, str]) -> None:
    temporary = path.with_suffix(".new")
    range_table.save(table, temporary, facts)
    temporary.replace(path)


def _describe(path: Path, kind: DatabaseKind, facts: Mapping[str, str], origin: DatabaseOrigin) -> None:
    """Keep beside a table what it is and where it came from."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    sidecar = {"kind": kind, **facts, "licence": origin.licence, "source": origin.source, "installed": now}
    host.write_result(path, json.dumps(sidecar, indent=2) + "\n")


def _link(link: Path, path: Path) -> None:
    """Point the link at a file atomically."""
    temporary = link.with_suffix(".link")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(path.name)
    temporary.replace(link)


def _addresses(table: pa.Table) -> int:
    first, last = (table[name].to_numpy().astype(np.int64) for name in ("first", "last"))
    return int((last - first + 1).sum())


def _changed(before: pa.Table, after: pa.Table) -> int:
    """How many addresses of all have another value in the second table: country, AS number, or whether they are announced."""
    codes: dict[object, int] = {}
    partition, pairs = _partition(before, codes).intersect(_partition(after, codes))
    totals = partition.count_addresses(*EVERYWHERE, len(pairs))
    return int(totals[pairs[:, 0] != pairs[:, 1]].sum())


def _partition(table: pa.Table, codes: dict[object, int]) -> Partition:
    values = table.column(2).to_pylist() if table.num_columns > 2 else [True] * len(table)
    numbers = np.array([codes.setdefault(value, len(codes) + 1) for value in values], np.int32)
    first, last = (table[name].to_numpy().astype(np.uint64) for name in ("first", "last"))
    return Partition.of(first, last + np.uint64(1), numbers)
