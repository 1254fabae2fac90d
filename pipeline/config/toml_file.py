"""Read a TOML file into a struct, with every fault named at once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pipeline.config.validate import KeyFault, faults
from pipeline.errors import InputError
from pipeline.untrusted import bounded

Contents = TypeVar("Contents", bound=msgspec.Struct)

#: Keys and values by section, as TOML has them: what the command line gives instead of the file.
Overrides = Mapping[str, Mapping[str, Any]]
NONE: Overrides = {}


def read(path: Path, kind: type[Contents], overrides: Overrides = NONE) -> Contents:
    """Read a file, with keys of `overrides` in place of its own. Raises InputError naming file, key and reason of each fault."""
    data = bounded.toml(path)
    for section, keys in overrides.items():
        if isinstance(data.setdefault(section, {}), dict):
            data[section].update(keys)
    refuse(path, sorted(faults(data, kind)))
    return msgspec.convert(data, kind, strict=True)


def refuse(path: Path, named: Sequence[KeyFault]) -> None:
    """Raise InputError that names all faults, a line each, if there are any."""
    if len(named) == 1:
        raise InputError(f"{path}, key {named[0].key}", named[0].reason)
    if named:
        listed = "".join(f"\n  key {fault.key}: {fault.reason}" for fault in named)
        raise InputError(str(path), f"has {len(named)} faults:{listed}")
