"""Where things lie in the lake, and how a file appears there: whole, durable, and (where asked) only if it is new.

```
plans/sweep=ID/plan.json                the frozen plan
work/sweep=ID/                          a sweep that is not sealed: leases, journal, parts, receipts, private secret
TABLE/sweep=ID/part-0.parquet           a sealed sweep, sorted as schemas/TABLE.toml says
```
"""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import InputError


def write(path: Path, data: bytes, *, new: bool = False, private: bool = False) -> bool:
    """Write a file whole (temporary file, fsync, rename). With `new`, only if none is there: False tells that one is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o644)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        return place(temporary, path, new=new)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def place(temporary: Path, path: Path, *, new: bool = False) -> bool:
    """Give a finished temporary file its name, durably. With `new`, only if the name is free."""
    try:
        if new:
            os.link(temporary, path)
        else:
            os.replace(temporary, path)
    except FileExistsError:
        return False
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True


@dataclass(frozen=True, slots=True)
class Sweep:
    """The places of one sweep."""

    lake: Path
    id: str

    @property
    def plan(self) -> Path:
        """The frozen plan."""
        return self.lake / "plans" / f"sweep={self.id}" / "plan.json"

    @property
    def work(self) -> Path:
        """What belongs to the sweep until it is sealed."""
        return self.lake / "work" / f"sweep={self.id}"

    @property
    def secret(self) -> Path:
        """The validation secret; private, survives a restart."""
        return self.work / "secret"

    @property
    def receipts(self) -> Path:
        """Folder of receipts, one file a range."""
        return self.work / "receipts"

    @property
    def progress(self) -> Path:
        """Folder of the workers' latest progress."""
        return self.work / "progress"

    def lease(self, key: str) -> Path:
        """Who runs a range."""
        return self.work / "leases" / f"{key}.json"

    def receipt(self, key: str) -> Path:
        """The receipt of a range."""
        return self.receipts / f"{key}.json"

    def journal(self, key: str, attempt: int, table: str) -> Path:
        """Rows of an attempt at a range, as they came."""
        return self.work / "journal" / f"{key}.{attempt}.{table}.arrows"

    def attempt(self, key: str, attempt: int) -> Path:
        """What an attempt counted that was stopped before its end."""
        return self.work / "journal" / f"{key}.{attempt}.json"

    def part(self, table: str, file: str) -> Path:
        """A Parquet part of a range."""
        return self.work / table / file

    def sealed(self, table: str) -> Path:
        """A table of the sealed sweep."""
        return self.lake / table / f"sweep={self.id}" / "part-0.parquet"


def sweeps(lake: Path) -> list[Sweep]:
    """The sweeps of a lake, oldest first. Raises InputError if the folder is no lake."""
    if not (lake / "plans").is_dir():
        raise InputError(str(lake), "is no lake: there is no folder `plans` in it; `census sweep` makes one")
    return [Sweep(lake, folder.name.removeprefix("sweep=")) for folder in sorted((lake / "plans").glob("sweep=*"))]


def find(lake: Path, sweep: str | None) -> Sweep:
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
