"""What a fuzz target is, and a folder where targets put files that a reader opens by name."""

import atexit
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

#: Files that are written and read thousands of times belong in memory.
MEMORY = Path("/dev/shm")  # noqa: S108  a folder of its own is made in it


class Target(NamedTuple):
    """A function of bytes, the decoders that it reaches, and its seeds."""

    run: Callable[[bytes], None]
    decoders: tuple[Callable[..., object], ...]
    seeds: Callable[[], list[bytes]]
    is_quick: bool = True
    """Whether a run takes well under a millisecond; what writes files does not."""


@cache
def scratch() -> Path:
    """A folder of this process, which goes away with it."""
    folder = tempfile.TemporaryDirectory(prefix="census-fuzz-", dir=MEMORY if MEMORY.is_dir() else None)
    atexit.register(folder.cleanup)
    return Path(folder.name)


def file(name: str, data: bytes) -> Path:
    """A file of this name with these bytes."""
    path = scratch() / name
    path.write_bytes(data)
    return path
