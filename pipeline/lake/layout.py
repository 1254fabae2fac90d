"""The files of a lake, and the sweeps that it holds.

```
plans/sweep=ID/plan.json                the frozen plan
work/sweep=ID/                          a sweep that is not sealed: leases, journals, parts, receipts, private secret
TABLE/sweep=ID/part-0.parquet           a sealed sweep, sorted as schemas/TABLE.toml says
```
"""

import re
import secrets
from dataclasses import dataclass
from functools import cached_property

from pipeline import schema
from pipeline.errors import InputError
from pipeline.lake import store
from pipeline.lake.bucket import ObjectPath
from pipeline.lake.store import Location, entries, write
from pipeline.plan import plan as planning
from pipeline.plan.plan import Plan
from pipeline.space.shard import Walk

#: The last of the tables that enriching writes: a sweep that has it is enriched.
ENRICHED = "methods"
#: The file of a sealed table.
SEALED = "part-0.parquet"
#: The id of a sweep, and the name of a part: never a way up, hidden or a pattern.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")


@dataclass(frozen=True, slots=True)
class SweepPaths:
    """The files and folders of one sweep."""

    lake: Location
    id: str

    def __post_init__(self) -> None:
        """Raise InputError for an id that could lead out of its folder, or be taken for a pattern."""
        if not NAME.fullmatch(self.id):
            raise InputError(str(self.lake), f"has no sweep {self.id!r}: an id has letters, digits, `-`, `_` and `.`")

    @property
    def is_visibility(self) -> bool:
        """Return whether the sweep is that of one vantage over a visibility sample: no name of a configuration has a dot."""
        return "." in self.id.partition("-")[2]

    @property
    def plan(self) -> Location:
        """Return the file of the frozen plan."""
        return self.lake / "plans" / f"sweep={self.id}" / "plan.json"

    @property
    def work(self) -> Location:
        """Return the folder of what belongs to the sweep until it is sealed."""
        return self.lake / "work" / f"sweep={self.id}"

    @property
    def secret(self) -> Location:
        """Return the file of the validation secret, which is private and survives a restart."""
        return self.work / "secret"

    @property
    def receipts(self) -> Location:
        """Return the folder of the receipts, one file per range."""
        return self.work / "receipts"

    @property
    def voids(self) -> Location:
        """Return the folder of the records of receipts that were void."""
        return self.work / "void"

    @property
    def progress(self) -> Location:
        """Return the folder of the workers' latest progress."""
        return self.work / "progress"

    def lease(self, key: str) -> Location:
        """Return the file of a lease on a range or a shard."""
        return self.work / "leases" / f"{key}.json"

    def receipt(self, key: str) -> Location:
        """Return the file of a range's receipt."""
        return self.receipts / f"{key}.json"

    def void(self, key: str, attempts: int) -> Location:
        """Return the file of the record of a receipt that was void, by its number of attempts."""
        return self.voids / f"{key}.{attempts}.json"

    def journal(self, key: str, attempt: int, table: str) -> Location:
        """Return the journal of an attempt at a range: its rows of one table, in the order in which they came."""
        return self.work / "journal" / f"{key}.{attempt}.{table}.arrows"

    def attempt(self, key: str, attempt: int) -> Location:
        """Return the file that notes an attempt's begin, and its counts if it was stopped early."""
        return self.work / "journal" / f"{key}.{attempt}.json"

    def part(self, table: str, file: str) -> Location:
        """Return a Parquet part of a range. Raises InputError for a name that no part has: a receipt may come from elsewhere."""
        if table not in schema.JOURNALED or not NAME.fullmatch(file):
            raise InputError(
                str(self.receipts), f"a receipt names a part {file!r} of {table!r}; no range has such a part"
            )
        return self.work / table / file

    def sealed(self, table: str) -> Location:
        """Return the file of a table of the sealed sweep."""
        return self.lake / table / f"sweep={self.id}" / SEALED


@dataclass(frozen=True)
class Sweep:
    """A sweep in a lake: its frozen plan and its paths."""

    plan: Plan
    paths: SweepPaths

    @classmethod
    def open(cls, paths: SweepPaths) -> "Sweep":
        """Open a sweep that was begun, with its plan. Raises InputError or GuardError."""
        return cls(read_plan(paths.plan), paths)

    @cached_property
    def walk(self) -> Walk:
        """Return the order of the targets."""
        return self.plan.walk()


def read_plan(path: Location) -> Plan:
    """Read a frozen plan. Raises InputError or GuardError."""
    try:
        data = store.content(path)
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror or 'there is no such object'}") from None
    return planning.decode(data, str(path))


def sweeps(lake: Location) -> list[SweepPaths]:
    """Return the sweeps of a lake whose plan is there, oldest first. Raises InputError if the folder is not a lake.

    A folder without a plan is a sweep that is about to begin, or that was killed before it did.
    """
    if not (lake / "plans").is_dir():
        raise InputError(str(lake), "is not a lake (no `plans` folder); `census sweep` creates one")
    named = [SweepPaths(lake, folder.name.removeprefix("sweep=")) for folder in entries(lake / "plans", "sweep=*")]
    return [paths for paths in named if isinstance(lake, ObjectPath) or paths.plan.exists()]


def find(lake: Location, sweep_id: str | None) -> SweepPaths:
    """Return the named sweep of a lake, or its latest. Raises InputError that names the sweeps of the lake."""
    known = {paths.id: paths for paths in sweeps(lake)}
    if not known:
        raise InputError(str(lake), "has no sweep; `census sweep` runs one")
    if sweep_id is not None and sweep_id not in known:
        raise InputError(str(lake), f"has no sweep {sweep_id!r}; it has {', '.join(known)}")
    return known[sweep_id] if sweep_id else newest(list(known.values()))


def newest(candidates: list[SweepPaths]) -> SweepPaths:
    """Return the latest of these sweeps; a visibility sweep only if there is no other."""
    return ([paths for paths in candidates if not paths.is_visibility] or candidates)[-1]


def find_sealed(lake: Location, sweep_id: str | None = None) -> SweepPaths:
    """Return the named sweep, or the latest one that is sealed. Raises InputError if there is none."""
    candidates = [paths for paths in sweeps(lake) if paths.sealed("sweeps").exists() and sweep_id in (None, paths.id)]
    if not candidates:
        which = f" {sweep_id}" if sweep_id else ""
        raise InputError(str(lake), f"has no sealed sweep{which}; `census sweeps {lake}` lists what there is")
    return newest(candidates)


def open_sweep(lake: Location, sweep_id: str | None) -> Sweep:
    """Open the named sweep of a lake, or its latest. Raises InputError or GuardError."""
    return Sweep.open(find(lake, sweep_id))


def load_secret(paths: SweepPaths) -> bytes:
    """Return the sweep's validation secret, drawn at its first use."""
    write(paths.secret, secrets.token_bytes(16), new=True, private=True)
    return store.content(paths.secret)
