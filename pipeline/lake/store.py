"""Where things lie in the lake, and how a file appears there: whole, durable, and (where asked) only if it is new.

```
plans/sweep=ID/plan.json                the frozen plan
work/sweep=ID/                          a sweep that is not sealed: leases, journal, parts, receipts, private secret
TABLE/sweep=ID/part-0.parquet           a sealed sweep, sorted as schemas/TABLE.toml says
```
"""

import fcntl
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline import host
from pipeline.errors import CensusError, InputError
from pipeline.lake.bucket import Remote

#: Where something of a lake is: in a folder, or in a bucket.
Place = Path | Remote
#: How many objects are fetched at once.
FETCHES = 16


def at(location: str) -> Place:
    """A folder, or a place in a bucket for what looks like a URL. Raises InputError for another kind of URL."""
    return Remote.parse(location) if "://" in location else Path(location)


def write(path: Place, data: bytes, *, new: bool = False, private: bool = False) -> bool:
    """Write a file whole (temporary file, fsync, rename). With `new`, only if none is there: False tells that one is.

    In a bucket, one put. `private` is for files: who may read a bucket is set there.
    """
    if isinstance(path, Remote):
        if new:
            return path.swap(data, after=None) is not None
        path.put(data)
        return True
    with _temporary(path, private=private) as temporary:
        with temporary.open("r+b") as stream:
            stream.write(data)
        return place(temporary, path, new=new)


@contextmanager
def beside(path: Place) -> Iterator[Path]:
    """A file to write what then becomes `path` as the block ends: whole, durable, or (if it raises) not at all."""
    final = Path(tempfile.gettempdir()) / path.name if isinstance(path, Remote) else path
    with _temporary(final) as temporary:
        yield temporary
        if isinstance(path, Remote):
            path.put(temporary)
        else:
            place(temporary, path)


@contextmanager
def _temporary(path: Path, *, private: bool = False) -> Iterator[Path]:
    """An empty file beside another one, removed at the end unless it was renamed. Raises CensusError if the disk is full."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o644))
        yield temporary
    except OSError as error:
        raise CensusError(
            f"{path} cannot be written: {error.strerror or error}; what is done is kept, --resume goes on"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def place(temporary: Path, path: Path, *, new: bool = False) -> bool:
    """Give a finished temporary file its name, durably. With `new`, only if the name is free."""
    host.sync(temporary)
    try:
        if new:
            os.link(temporary, path)
        else:
            os.replace(temporary, path)
    except FileExistsError:
        return False
    host.sync(path.parent)
    return True


def read(path: Place) -> tuple[bytes, str] | None:
    """What stands there and its version, which is another one after every change; None if there is nothing."""
    try:
        if isinstance(path, Remote):
            return path.read()
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    return data, hashlib.sha256(data).hexdigest()


def swap(path: Place, data: bytes, *, after: str | None) -> str | None:
    """Write if the version there is still `after` (None: if there is nothing); the new version, or None if it is not.

    The data must be unlike any that stood there before. In a folder, programs of all machines that share it exclude each
    other by a lock (`flock`).
    """
    if isinstance(path, Remote):
        return path.swap(data, after=after)
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = read(path)
        if (found[1] if found else None) != after:
            return None
        write(path, data)
    return hashlib.sha256(data).hexdigest()


def remove(folder: Place) -> None:
    """Remove a folder, or all objects whose names go on after this one."""
    if isinstance(folder, Path):
        shutil.rmtree(folder, ignore_errors=True)
        return
    for path in folder.iterdir():
        path.unlink(missing_ok=True)


def entries(folder: Place, pattern: str) -> list[Place]:
    """What is directly in a folder and fits a pattern, by name; nothing if there is no such folder."""
    found: Iterable[Place] = folder.glob(pattern)
    return sorted(found, key=str)


def contents(paths: Sequence[Place]) -> list[bytes]:
    """The bytes of many small files or objects. Raises FileNotFoundError."""
    with ThreadPoolExecutor(FETCHES) as pool:
        return list(pool.map(_content, paths))


def _content(path: Place) -> bytes:
    return path.read_bytes()


def stamp(path: Place) -> str:
    """What changes when a file or object is written again; empty if there is none."""
    if isinstance(path, Remote):
        return path.etag() or ""
    try:
        told = path.stat()
    except FileNotFoundError:
        return ""
    return f"{told.st_size} {told.st_mtime_ns}"


def changed_at(path: Place) -> datetime | None:
    """When a file or object was last written; None if there is none."""
    try:
        return path.changed_at() if isinstance(path, Remote) else datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def files(paths: Iterable[Place]) -> list[Path]:
    """Files on this machine that hold the same: these files, or copies of the objects. Raises FileNotFoundError."""
    with ThreadPoolExecutor(FETCHES) as pool:
        return [Path(file).absolute() for file in pool.map(_file, paths)]


def _file(path: Place) -> str:
    return os.fspath(path)


@dataclass(frozen=True, slots=True)
class Sweep:
    """The places of one sweep."""

    lake: Place
    id: str

    @property
    def plan(self) -> Place:
        """The frozen plan."""
        return self.lake / "plans" / f"sweep={self.id}" / "plan.json"

    @property
    def work(self) -> Place:
        """What belongs to the sweep until it is sealed."""
        return self.lake / "work" / f"sweep={self.id}"

    @property
    def secret(self) -> Place:
        """The validation secret; private, survives a restart."""
        return self.work / "secret"

    @property
    def receipts(self) -> Place:
        """Folder of receipts, one file a range."""
        return self.work / "receipts"

    @property
    def progress(self) -> Place:
        """Folder of the workers' latest progress."""
        return self.work / "progress"

    def lease(self, key: str) -> Place:
        """Who runs a range."""
        return self.work / "leases" / f"{key}.json"

    def receipt(self, key: str) -> Place:
        """The receipt of a range."""
        return self.receipts / f"{key}.json"

    def journal(self, key: str, attempt: int, table: str) -> Place:
        """Rows of an attempt at a range, as they came."""
        return self.work / "journal" / f"{key}.{attempt}.{table}.arrows"

    def attempt(self, key: str, attempt: int) -> Place:
        """What an attempt counted that was stopped before its end."""
        return self.work / "journal" / f"{key}.{attempt}.json"

    def part(self, table: str, file: str) -> Place:
        """A Parquet part of a range."""
        return self.work / table / file

    def sealed(self, table: str) -> Place:
        """A table of the sealed sweep."""
        return self.lake / table / f"sweep={self.id}" / "part-0.parquet"


def sweeps(lake: Place) -> list[Sweep]:
    """The sweeps of a lake, oldest first. Raises InputError if the folder is no lake."""
    if not (lake / "plans").is_dir():
        raise InputError(str(lake), "is no lake: there is no folder `plans` in it; `census sweep` makes one")
    return [Sweep(lake, folder.name.removeprefix("sweep=")) for folder in entries(lake / "plans", "sweep=*")]


def find(lake: Place, sweep: str | None) -> Sweep:
    """The named sweep of a lake, or its latest. Raises InputError naming those that there are."""
    known = {place.id: place for place in sweeps(lake)}
    if not known:
        raise InputError(str(lake), "holds no sweep")
    if sweep is not None and sweep not in known:
        raise InputError(str(lake), f"holds no sweep {sweep!r}; it holds {', '.join(known)}")
    return known[sweep] if sweep else list(known.values())[-1]


def load_secret(place_: Sweep) -> bytes:
    """The sweep's validation secret, drawn at its first use."""
    write(place_.secret, secrets.token_bytes(16), new=True, private=True)
    return place_.secret.read_bytes()
