"""Copies of a bucket's objects on this machine: as many bytes as are granted, what was not used for longest goes first.

A copy may be read until the program that asked for it ends. So every program that uses the cache holds a shared lock on it until
then, and one that begins while no other runs takes away what is too much, before it asks for anything: nothing in use ever goes.
"""

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from pipeline import host
from pipeline.errors import InputError

#: Bytes that stay when a program begins, unless this variable of the environment says otherwise: some hundred sweeps of a week.
BYTES = 10 * 10**9
VARIABLE = "CENSUS_CACHE_BYTES"
LOCK = ".lock"


def folder() -> Path:
    """Where the copies lie; it may be deleted whenever no program runs."""
    return host.folder("XDG_CACHE_HOME", ".cache")


def copy(name: str, fetch: Callable[[Path], None]) -> Path:
    """The copy of a name, which `fetch` makes if there is none; it is then the one that was used last."""
    enter(folder())
    path = folder() / name
    if path.exists():
        os.utime(path)
    else:
        fetch(path)
    return path


@cache
def enter(folder: Path) -> int:
    """Use a cache until this program ends; prune it first if nobody else uses it. The descriptor that holds the lock."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    with suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        prune(folder, _granted())
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def _granted() -> int:
    """How many bytes may stay. Raises InputError if the variable holds no number."""
    text = os.environ.get(VARIABLE) or str(BYTES)
    if not text.isdecimal():
        raise InputError(VARIABLE, f"is not a number of bytes: {text!r}")
    return int(text)


def prune(folder: Path, most: int) -> None:
    """Remove copies until at most so many bytes are left, those that were not used for longest first."""
    copies = [(path.stat(), path) for path in folder.rglob("*") if path.is_file() and path != folder / LOCK]
    total = 0
    for told, path in sorted(copies, key=lambda copy: copy[0].st_mtime_ns, reverse=True):
        total += told.st_size
        if total > most:
            path.unlink()
    for path in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        with suppress(OSError):
            path.rmdir()  # only what is empty goes
