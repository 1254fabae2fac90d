"""Copies of a bucket's objects on this machine, up to a limit of bytes; the least recently used copies are removed first.

A copy may be read until the program that requested it ends. So every program that uses the cache holds a shared lock on it until
it ends. A program that starts while no other runs prunes the cache before it uses it. No copy that is in use is ever removed.
"""

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from pipeline import host
from pipeline.errors import InputError

#: Bytes that stay when a program starts, enough for some hundred weekly sweeps; the environment variable overrides it.
BYTES = 10 * 10**9
VARIABLE = "CENSUS_CACHE_BYTES"
LOCK = ".lock"


def folder() -> Path:
    """Return the folder of the copies; it may be deleted whenever no program runs."""
    return host.folder("XDG_CACHE_HOME", ".cache")


def copy(name: str, fetch: Callable[[Path], None]) -> Path:
    """Return the copy with this name, made by `fetch` if there is none, and mark it as the most recently used."""
    enter(folder())
    path = folder() / name
    if path.exists():
        os.utime(path)
    else:
        fetch(path)
    return path


@cache
def enter(folder: Path) -> int:
    """Use a cache until this program ends, and prune it first if no other program uses it.

    Return the descriptor that holds the lock.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    with suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        prune(folder, _limit())
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def _limit() -> int:
    """Return how many bytes may stay. Raises InputError if the variable is not a number."""
    text = os.environ.get(VARIABLE) or str(BYTES)
    if not text.isdecimal():
        raise InputError(VARIABLE, f"is not a number of bytes: {text!r}")
    return int(text)


def prune(folder: Path, most: int) -> None:
    """Remove the least recently used copies until at most `most` bytes are left."""
    copies = [(path.stat(), path) for path in folder.rglob("*") if path.is_file() and path != folder / LOCK]
    total = 0
    for status, path in sorted(copies, key=lambda copy: copy[0].st_mtime_ns, reverse=True):
        total += status.st_size
        if total > most:
            path.unlink()
    for path in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        with suppress(OSError):
            path.rmdir()  # fails, as it should, unless the folder is empty
