"""Bring the databases of countries, networks and announced prefixes up to date, from a file or from their publishers."""

import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline import checkout
from pipeline.enrich import download, renew
from pipeline.enrich.database_kind import DatabaseKind
from pipeline.enrich.renew import Build, DatabaseOrigin

SOURCES = checkout.REFERENCE / "sources.toml"


@dataclass(frozen=True, slots=True)
class Source:
    """A file or a URL, the licence of what it holds, and when that was made; None if it says so itself."""

    place: str
    licence: str = "not stated"
    built: date | None = None


def published(kind: DatabaseKind, today: date) -> Source:
    """Where a kind of database is published for everybody."""
    source = tomllib.loads(SOURCES.read_text("utf-8"))[kind]
    return Source(source["url"].format(month=f"{today:%Y-%m}"), source["licence"])


def refresh(sources: Sequence[tuple[DatabaseKind, Source]], folder: Path) -> Iterator[Build]:
    """Install each database and yield it. Raises InputError, GuardError or CensusError; what was installed before stays."""
    for kind, source in sources:
        if "://" in source.place:
            with tempfile.TemporaryDirectory() as temporary:
                fetched = download.fetch(source.place, Path(temporary))
                origin = DatabaseOrigin(fetched.url, source.licence, source.built or fetched.modified)
                yield renew.install(fetched.path, folder, kind, kind, origin)
        else:
            file = Path(source.place)
            yield renew.install(
                file, folder, kind, kind, DatabaseOrigin(str(file.resolve()), source.licence, source.built)
            )
