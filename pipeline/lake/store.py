"""Write, read and replace the files or objects of a lake: whole, durably, and (on request) only if they are new."""

import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pipeline.errors import CensusError, InputError
from pipeline.lake import inside
from pipeline.lake.bucket import ObjectPath

#: A path in a lake: in a folder, or in a bucket.
Location = Path | ObjectPath
#: How many objects are fetched at once.
FETCHES = 16


def at(location: str) -> Location:
    """Return a location in a bucket for a URL, else a folder. Raises InputError for an unsupported URL."""
    return ObjectPath.parse(location) if "://" in location else Path(location)


def write(path: Location, data: bytes, *, new: bool = False, private: bool = False) -> bool:
    """Write a file whole (temporary file, fsync, rename), and return whether it was written.

    With `new`, it is written only if there is none yet. In a bucket, this is one put. `private` is for files only: a bucket has
    access rules of its own.
    """
    if isinstance(path, ObjectPath):
        if new:
            return path.swap(data, after=None) is not None
        path.put(data)
        return True
    with _temporary(path, private=private) as temporary:
        with temporary.open("r+b") as stream:
            stream.write(data)
        return inside.rename_durably(temporary, path, new=new)


@contextmanager
def replacing(path: Location) -> Iterator[Path]:
    """Yield a temporary file that becomes `path` as the block ends: whole and durable, or not at all if the block raises."""
    final = Path(tempfile.gettempdir()) / path.name if isinstance(path, ObjectPath) else path
    with _temporary(final) as temporary:
        yield temporary
        if isinstance(path, ObjectPath):
            path.put(temporary)
        else:
            inside.rename_durably(temporary, path)


@contextmanager
def _temporary(path: Path, *, private: bool = False) -> Iterator[Path]:
    """Yield an empty file in the folder of another one, and remove it at the end unless it was renamed.

    Raises CensusError if it cannot be written, for example because the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        os.close(inside.open_file(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666))
        yield temporary
    except OSError as error:
        raise CensusError(
            f"{path} cannot be written: {error.strerror or error}; finished ranges are kept, run again with --resume"
        ) from error
    finally:
        with suppress(OSError, InputError):
            inside.unlink(temporary)


def read(path: Location) -> tuple[bytes, str] | None:
    """Return the contents and their version, which differs after every change; None if there is no file or object."""
    try:
        if isinstance(path, ObjectPath):
            return path.read()
        data = inside.read(path)
    except FileNotFoundError:
        return None
    return data, hashlib.sha256(data).hexdigest()


def file(path: Location) -> Path:
    """Return a file on this machine with the same contents, as `files` does."""
    return Path(_file(path))


def swap(path: Location, data: bytes, *, after: str | None) -> str | None:
    """Write if the version is still `after` (None: if there is no file or object); return the new version, or None if it is not.

    The data must differ from all earlier contents. In a folder, a lock (`flock`) excludes the programs of all machines that
    share it.
    """
    if isinstance(path, ObjectPath):
        return path.swap(data, after=after)
    with inside.locked(path.parent / ".lock"):
        entry = read(path)
        if (entry[1] if entry else None) != after:
            return None
        write(path, data)
    return hashlib.sha256(data).hexdigest()


def remove(folder: Location) -> None:
    """Remove a folder, or all objects directly below a name."""
    if isinstance(folder, Path):
        inside.remove_tree(folder)
        return
    for path in folder.iterdir():
        path.unlink(missing_ok=True)


def unlink(path: Location) -> None:
    """Remove a file or an object, if there is one."""
    if isinstance(path, Path):
        inside.unlink(path, missing_ok=True)
    else:
        path.unlink(missing_ok=True)


def make_lake(lake: Location) -> None:
    """Make the folder of a new lake, for its user and group alone; a bucket has access rules of its own."""
    if isinstance(lake, Path):
        inside.make_lake(lake)


def entries(folder: Location, pattern: str) -> list[Location]:
    """Return the entries of a folder that match a pattern, by name; none if there is no such folder."""
    matches: Iterable[Location] = folder.glob(pattern)
    return sorted(matches, key=str)


def contents(paths: Sequence[Location]) -> list[bytes]:
    """Read many small files or objects. Raises FileNotFoundError, and InputError for a file that is not small."""
    with ThreadPoolExecutor(FETCHES) as pool:
        return list(pool.map(partial(content, limit=inside.SMALL), paths))


def content(path: Location, limit: int = inside.LARGEST) -> bytes:
    """Read one file or object. Raises FileNotFoundError, and InputError if a file is larger than the limit."""
    return inside.read(path, limit) if isinstance(path, Path) else path.read_bytes()


def stamp(path: Location) -> str:
    """Return a text that changes whenever a file or object is rewritten; empty if there is none."""
    if isinstance(path, ObjectPath):
        return path.etag() or ""
    try:
        status = path.stat()
    except FileNotFoundError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"


def changed_at(path: Location) -> datetime | None:
    """Return when a file or object was last written; None if there is none."""
    try:
        return path.changed_at() if isinstance(path, ObjectPath) else datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def files(paths: Iterable[Location]) -> list[Path]:
    """Return files on this machine with the same contents: these files, or copies of the objects.

    Raises FileNotFoundError, and InputError for a link in a lake.
    """
    each = list(paths)
    if not any(isinstance(path, ObjectPath) for path in each):
        return [Path(_file(path)).absolute() for path in each]
    with ThreadPoolExecutor(FETCHES) as pool:
        return [Path(file).absolute() for file in pool.map(_file, each)]


def _file(path: Location) -> str:
    return os.fspath(inside.checked(path) if isinstance(path, Path) else path)
