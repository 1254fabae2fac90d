"""Install a newer country database and keep the older ones: a sweep is enriched by the build that its plan names.

`FOLDER/NAME.parquet` is a link to `NAME-BUILD.parquet`. A plan records the link's target, so its database never changes.
"""

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.enrich import geo, range_table
from pipeline.enrich.mmdb import Mmdb
from pipeline.errors import InputError


@dataclass(frozen=True, slots=True)
class Build:
    """An installed database: its build date (ISO 8601), its number of ranges, and whether it was installed just now."""

    name: str
    path: Path
    build_date: str
    sha256: str
    ranges: int
    new: bool


def install(mmdb: Path, folder: Path, name: str) -> Build:
    """Install an mmdb if it is newer than the installed one. Raises InputError if it is older, or has no country."""
    database, link = Mmdb(mmdb), folder / f"{name}.parquet"
    facts = database.facts
    path = folder / f"{name}-{facts['build_date']}-{facts['sha256'][:8]}.parquet"
    new = not link.exists() or link.resolve() != path.resolve()
    if new and link.exists() and (used := geo.load(link).build_date.isoformat()) > facts["build_date"]:
        raise InputError(
            str(mmdb), f"was built {facts['build_date']}, but {link} is newer ({used}); remove the link to install it"
        )
    if new:
        folder.mkdir(parents=True, exist_ok=True)
        _write(database, path)
        _link(link, path)
    return Build(name, path, facts["build_date"], facts["sha256"], pq.read_metadata(path).num_rows, new)


def _write(database: Mmdb, path: Path) -> None:
    table = geo.flatten(database)
    temporary = path.with_suffix(".new")
    range_table.save(table, temporary, database.facts)
    temporary.replace(path)


def _link(link: Path, path: Path) -> None:
    """Point the link at a file atomically."""
    temporary = link.with_suffix(".link")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(path.name)
    temporary.replace(link)
