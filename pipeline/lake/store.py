"""How a file or object of a lake appears, is read and is replaced: whole, durable, and (on request) only if it is new."""

import fcntl
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from pipeline import host
from pipeline.errors import CensusError
from pipeline.lake.bucket import ObjectPath

#: Where something of a lake is: in a folder, or in a bucket.
Location = Path | ObjectPath
#: How many objects are fetched at once.
FETCHES = 16


def at(location: str) -> Location:
    """A folder, or a place in a bucket for what looks like a URL. Raises InputError for another kind of URL."""
    return ObjectPath.parse(location) if "://" in location else Path(location)


def write(path: Location, data: bytes, *, new: bool = False, private: bool = False) -> bool:
    """Write a file whole (temporary file, fsync, rename). With `new`, only if none is there: False tells that one is.

    In a bucket, one put. `private` is for files: who may read a bucket is set there.
    """
    if isinstance(path, ObjectPath):
        if new:
            return path.swap(data, after=None) is not None
        path.put(data)
        return True
    with _temporary(path, private=private) as temporary:
        with temporary.open("r+b") as stream:
            stream.write(data)
        return rename_durably(temporary, path, new=new)


@contextmanager
def replacing(path: Location) -> Iterator[Path]:
    """A file to write what then becomes `path` as the block ends: whole, durable, or (if it raises) not at all."""
    final = Path(tempfile.gettempdir()) / path.name if isinstance(path, ObjectPath) else path
    with _temporary(final) as temporary:
        yield temporary
        if isinstance(path, ObjectPath):
            path.put(temporary)
        else:
            rename_durably(temporary, path)


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
            f"{path} cannot be written: {error.strerror or error}; finished ranges are kept, run again with --resume"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def rename_durably(temporary: Path, path: Path, *, new: bool = False) -> bool:
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


def read(path: Location) -> tuple[bytes, str] | None:
    """What stands there and its version, which is another one after every change; None if there is nothing."""
    try:
        if isinstance(path, ObjectPath):
            return path.read()
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    return data, hashlib.sha256(data).hexdigest()


def swap(path: Location, data: bytes, *, after: str | None) -> str | None:
    """Write if the version there is still `after` (None: if there is nothing); the new version, or None if it is not.

    The data must be unlike any that stood there before. In a folder, programs of all machines that share it exclude each
    other by a lock (`flock`).
    """
    if isinstance(path, ObjectPath):
        return path.swap(data, after=after)
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = read(path)
        if (found[1] if found else None) != after:
            return None
        write(path, data)
    return hashlib.sha256(data).hexdigest()


def remove(folder: Location) -> None:
    """Remove a folder, or all objects whose names go on after this one."""
    if isinstance(folder, Path):
        shutil.rmtree(folder, ignore_errors=True)
        return
    for path in folder.iterdir():
        path.unlink(missing_ok=True)


def entries(folder: Location, pattern: str) -> list[Location]:
    """What is directly in a folder and fits a pattern, by name; nothing if there is no such folder."""
    found: Iterable[Location] = folder.glob(pattern)
    return sorted(found, key=str)


def contents(paths: Sequence[Location]) -> list[bytes]:
    """The bytes of many small files or objects. Raises FileNotFoundError."""
    with ThreadPoolExecutor(FETCHES) as pool:
        return list(pool.map(_content, paths))


def _content(path: Location) -> bytes:
    return path.read_bytes()


def stamp(path: Location) -> str:
    """What changes when a file or object is written again; empty if there is none."""
    if isinstance(path, ObjectPath):
        return path.etag() or ""
    try:
        told = path.stat()
    except FileNotFoundError:
        return ""
    return f"{told.st_size} {told.st_mtime_ns}"


def changed_at(path: Location) -> datetime | None:
    """When a file or object was last written; None if there is none."""
    try:
        return path.changed_at() if isinstance(path, ObjectPath) else datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def files(paths: Iterable[Location]) -> list[Path]:
    """Files on this machine that hold the same: these files, or copies of the objects. Raises FileNotFoundError."""
    with ThreadPoolExecutor(FETCHES) as pool:
        return [Path(file).absolute() for file in pool.map(_file, paths)]


def _file(path: Location) -> str:
    return os.fspath(path)
