"""Which register the sweeps of a lake obey, so that nobody stops or opts out into a file that no sweep reads.

People name a lake, the register in it, or a register elsewhere. A plan may name a register outside of its lake; then the file
in the lake is read by nobody.
"""

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import CensusError, InputError
from pipeline.lake import layout, read, store
from pipeline.lake.layout import SweepPaths
from pipeline.lake.store import Location
from pipeline.optout import register
from pipeline.optout.register import DEFAULT_NAME, Register
from pipeline.plan.plan import Plan
from pipeline.space import address_list
from pipeline.space.ranges import Ranges

#: How the name of a register ends that is made by its first opt-out: a mistyped lake must not become one.
SUFFIX = ".jsonl"


@dataclass(frozen=True, slots=True)
class ObeyedRegister:
    """A register, the lake whose sweeps obey it if a lake was named, and the plans of those that are at work."""

    register: Register
    lake: Location | None = None
    plans: tuple[Plan, ...] = ()


def find(named: str) -> ObeyedRegister:
    """Return the register that is meant by a lake or a register.

    Raises InputError if the sweeps of the lake obey another one than is named, or several.
    """
    location = store.at(named)
    if (location / "plans").is_dir():
        return _of_lake(location)
    if (location / DEFAULT_NAME).exists():
        return ObeyedRegister(register.of("", location))  # of a lake that will be
    if location.is_dir():
        raise InputError(named, "is neither a lake (no `plans` folder) nor a register; name one of them")
    if not location.exists() and location.suffix != SUFFIX:
        raise InputError(named, f"there is no such lake or register; the name of a new register ends in {SUFFIX}")
    if register.is_of_lake(location):
        return _of_lake(location.parent, named)
    return ObeyedRegister(register.at(named))


def find_all(named: str) -> list[ObeyedRegister]:
    """Return every register that the sweeps of a lake obey, or the register that is named: a stop goes into each."""
    location = store.at(named)
    return _all_of_lake(location) if (location / "plans").is_dir() else [find(named)]


def _of_lake(lake: Location, named: str = "") -> ObeyedRegister:
    """The register of the sweeps that are at work, or else of the latest one; the lake's own if `named`."""
    by_name = {_name(one.register): one for one in _all_of_lake(lake)}
    own, obeyed = _name(register.of("", lake)), sorted(by_name)
    if named and own not in obeyed:
        raise InputError(
            named, f"no sweep of this lake obeys it: they obey {', '.join(obeyed)}; name that one, or the lake"
        )
    if not named and len(obeyed) > 1:
        raise InputError(str(lake), f"its sweeps obey several registers: {', '.join(obeyed)}; name one")
    return by_name[own if named else obeyed[0]]


def _all_of_lake(lake: Location) -> list[ObeyedRegister]:
    """The registers of the sweeps that are at work, or else that of the latest one; without any, the lake's own."""
    by_register: dict[str, list[Plan]] = {}
    for plan in _plans(lake):
        by_register.setdefault(_name(register.of(plan.register, lake)), []).append(plan)
    own = _name(register.of("", lake))
    named = {name: register.of("", lake) if name == own else register.at(name) for name in by_register or [own]}
    return [ObeyedRegister(opened, lake, tuple(by_register.get(name, ()))) for name, opened in named.items()]


def _name(obeyed: Register) -> str:
    """The name of a register: of a file its path without links and dots."""
    return obeyed.where if "://" in obeyed.where else str(Path(obeyed.where).resolve())


def _plans(lake: Location) -> list[Plan]:
    """The plans of the sweeps that are not sealed, or else that of the latest one; without those that cannot be read."""
    sweeps = layout.sweeps(lake)
    at_work = [paths for paths in sweeps if not paths.sealed("sweeps").exists()]
    return [plan for paths in at_work or sweeps[-1:] if (plan := _plan(paths))]


def _plan(paths: SweepPaths) -> Plan | None:
    try:
        return layout.read_plan(paths.plan)
    except CensusError:
        return None


def answered(lake: Location, block: str) -> tuple[str, int] | None:
    """Return the latest sealed sweep of a lake, and how many addresses of a block answered in it; None without one."""
    sealed = [paths for paths in layout.sweeps(lake) if paths.sealed("sweeps").exists()]
    if not sealed:
        return None
    latest = layout.newest(sealed)
    addresses = read.rows(latest, "responses", ["ip"])["ip"].unique().to_numpy()
    return latest.id, int(Ranges.of([address_list.parse(block, "block")]).contains(addresses).sum())
