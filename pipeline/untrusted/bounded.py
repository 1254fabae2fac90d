"""Files from elsewhere are read up to a limit, and decoded whatever they hold: a value, or one error that names the file.

An endless file (`/dev/zero`, a pipe) ends at its limit, and so do nested lists that would exhaust the stack.
"""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pipeline.errors import InputError

#: The largest file of each kind that is read, in bytes (docs/configuration.md, "Limits of files").
CONFIGURATION = 4 << 20
ADDRESS_LIST = 256 << 20
DATABASE = 2 << 30

Value = TypeVar("Value")


class NotJson(Exception):
    """Bytes are not JSON of a kind."""


def read(path: Path, limit: int, where: str = "") -> bytes:
    """Return a file's bytes. Raises InputError, naming `where` or the file, if it cannot be read or is larger than the limit."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise InputError(where or str(path), f"cannot be read: {error.strerror or error}") from None
    require(len(data), limit, where or str(path))
    return data


def require(size: int, limit: int, where: str) -> None:
    """Raise InputError if there are more bytes than the limit."""
    if size > limit:
        raise InputError(where, f"is larger than {limit >> 20:,} MiB, which nothing of this kind is")


def toml(path: Path) -> dict[str, Any]:
    """Return the contents of a TOML file. Raises InputError."""
    try:
        return tomllib.loads(read(path, CONFIGURATION).decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"is not TOML: {error}") from None
    except RecursionError:
        raise InputError(str(path), "is nested too deeply to be read") from None


def json(data: bytes, kind: type[Value], where: str) -> Value:
    """Return what JSON of a lake says. Raises InputError if it is damaged."""
    try:
        return decode(data, kind)
    except NotJson as error:
        raise InputError(where, f"is damaged: {error}") from None


def decode(data: bytes, kind: type[Value]) -> Value:
    """Return what JSON says, for a caller that names what it is. Raises NotJson, which says why it cannot be read."""
    try:
        return msgspec.json.decode(data, type=kind)
    except RecursionError:
        raise NotJson("it is nested too deeply to be read") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotJson(str(error)) from None
