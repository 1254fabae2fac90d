"""The steps of a sweep as plain functions: what the command line and the flow call. None of them knows Prefect."""

import time
from collections.abc import Callable
from pathlib import Path

from pipeline import checkout, config
from pipeline.errors import CensusError, GuardError, InputError
from pipeline.lake import harm_targets, pending, store, verify
from pipeline.lake.store import Place, Sweep
from pipeline.optout import quarantine, register
from pipeline.space import plan as planning
from pipeline.space.plan import Plan
from pipeline.sweep.enrichment import ENRICHED
from pipeline.sweep.freeze import check, freeze, read
from pipeline.worker.context import Remote
from pipeline.worker.shards import Crew

#: Finds the sweep of a series in a lake that is to be resumed, if there is one.
Resumed = Callable[[Place, str], Sweep | None]


def begin(plan: Plan, lake: Place) -> Sweep:
    """Put the plan into the lake, where its register is readable. Raises InputError if it is not, and GuardError if
    another plan stands there under this name.
    """
    register.begin(plan.register, lake)
    place = Sweep(lake, plan.sweep)
    if not store.write(place.plan, planning.encode(plan), new=True):
        field = next(planning.differences(plan, read(place.plan)), None)
        if field:
            raise GuardError(f"{place.plan}: another plan of this name was begun here (field {field})")
    return place


def prepare(source: str, lake: Place | None = None, resume: Resumed | None = None) -> tuple[Plan, Place]:
    """The plan of a configuration or plan file, and the lake that it goes to; of the sweep that is to be resumed, if `resume`
    finds one of the series.
    """
    if source.endswith(".json"):
        return read(store.at(source)), lake or store.at("lake")
    loaded = config.load(Path(source))
    folder = lake or store.at(loaded.lake.url)
    begun = resume(folder, loaded.sweep.name) if resume else None
    return (read(begun.plan) if begun else freeze(Path(source), folder)), folder


def latest(lake: Place, name: str) -> Sweep | None:
    """The latest sweep of a series that is not sealed, if there is one."""
    open_ = [place for place in _series(lake, name) if not place.sealed("sweeps").exists()]
    return open_[-1] if open_ else None


def unfinished(lake: Place, name: str) -> Sweep | None:
    """The latest sweep of a series that is not sealed, or the last one of all if it is sealed and not enriched."""
    last = _series(lake, name)[-1:]
    return latest(lake, name) or next((place for place in last if not place.sealed(ENRICHED).exists()), None)


def _series(lake: Place, name: str) -> list[Sweep]:
    """The sweeps of a series, oldest first."""
    return [s for s in store.sweeps(lake) if s.id.partition("-")[2] == name] if (lake / "plans").is_dir() else []


def sealed(lake: Place, sweep: str | None = None) -> Sweep:
    """The named sweep, or the latest that is sealed. Raises InputError if there is none."""
    found = [place for place in store.sweeps(lake) if place.sealed("sweeps").exists() and sweep in (None, place.id)]
    if not found:
        which = f" {sweep}" if sweep else ""
        raise InputError(str(lake), f"holds no sealed sweep{which}; `census status` tells how it is")
    return found[-1]


def missing(plan: Plan, place: Sweep) -> bool:
    """Whether some range has no receipt."""
    return bool(pending.due(plan, place, plan.walk()))


def work(plan: Plan, place: Sweep, *, pcap: Path | None = None, remotes: tuple[Remote, ...] = ()) -> int:
    """Run every range that is missing; how many that were. With `pcap`, keep every validated answer in that file; with
    `remotes`, let associators on other machines take their part of the visits.

    Ends when nothing is missing: it waits for the shards that other places have, and takes over those of the dead.
    """
    check(plan)
    with Crew(plan, place, pcap=pcap, remotes=remotes) as crew:
        ranges = crew.work()
    rest(plan, place)
    return ranges


def rest(plan: Plan, place: Sweep) -> list[str]:
    """Quarantine the hosts that fell silent after a visit; those that were not quarantined already."""
    if plan.harm is None:
        return []
    silent = harm_targets.fallen(place)["ip"].to_pylist()
    return quarantine.add(register.of(plan.register, place.lake), silent, place.id)


def require_verified(plan: Plan, place: Sweep) -> None:
    """Raise CensusError naming the first thing that does not add up."""
    fault = next(verify.faults(place, plan), None)
    if fault:
        raise CensusError(f"does not add up: {fault.where} {fault.what}")


def seal(plan: Plan, place: Sweep) -> None:
    """Compact a verified sweep into its sorted tables."""
    verify.seal(place, plan, sealed_at=time.time_ns() // 1000, code_version=checkout.code())
