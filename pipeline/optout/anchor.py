"""The head of each register that this machine has seen last: a register only grows, so one without that head was tampered with.

The chain of a register shows a line that was changed or removed, but not that its end was cut off: what is left is whole. So each
machine keeps how long the register was, and its SHA-256, in the program's state folder. A register that is shorter, or that was
continued another way, is not obeyed and not written to.
"""

import hashlib
from pathlib import Path

import msgspec

from pipeline import host
from pipeline.errors import InputError
from pipeline.lake import store
from pipeline.optout.chained import digest
from pipeline.untrusted import bounded


class Head(msgspec.Struct, frozen=True):
    """How long a register was when it was seen last, in bytes and in lines, and the SHA-256 of those bytes."""

    where: str
    size: int
    lines: int
    sha256: str


def require(where: str, data: bytes, head: Head | None) -> None:
    """Raise InputError unless a register begins with all that this machine had seen of it before the register was read.

    `head` comes from `last`, called first: others may write between the two, and what they wrote is no fault.
    """
    if head is None or digest(data[: head.size]) == head.sha256:
        return
    seen = f"this machine has seen {head.lines:,} lines of it, SHA-256 {head.sha256:.12}…"
    if len(data) < head.size:
        fault = f"was shortened, or an old copy was restored: it has {_lines(data):,} lines, and {seen}"
    else:
        fault = f"was continued another way: {seen}, and its first {head.lines:,} lines are others"
    raise InputError(
        where,
        f"{fault}. Whoever opted out may be missing, so nothing is sent; restore the later one. If it is to begin again, remove "
        f"{_path(where)} on each machine",
    )


def keep(where: str, data: bytes, sha256: str) -> None:
    """Keep the head of a register that was read and is right. Raises InputError if it cannot be kept."""
    head = last(where)
    if head is not None and head.size >= len(data):
        return
    try:
        _path(where).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        store.write(_path(where), msgspec.json.encode(Head(_name(where), len(data), _lines(data), sha256)))
    except OSError as error:
        raise InputError(
            str(_path(where)), f"cannot be written: {error.strerror}; set XDG_STATE_HOME to a folder that can"
        ) from None


def last(where: str) -> Head | None:
    """The head that this machine has seen last, None if it has seen none. Raises InputError if it cannot be read."""
    try:
        return bounded.decode(_path(where).read_bytes(), Head)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, bounded.NotJson) as error:
        raise InputError(str(_path(where)), f"the last head of {where} cannot be read: {error}") from None


def _path(where: str) -> Path:
    name = hashlib.sha256(_name(where).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return host.folder("XDG_STATE_HOME", ".local/state") / "registers" / f"{name}.json"


def _name(where: str) -> str:
    """The name of a register: of a file its path without links and dots."""
    return where if "://" in where else str(Path(where).resolve())


def _lines(data: bytes) -> int:
    return data.count(b"\n")
