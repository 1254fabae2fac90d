"""The audit of one's own ranges: plan, sweep, verify, seal, enrich, and a report with addresses for the owner alone.

It goes where the owner's signature reaches and nowhere else, whatever the profile, and what it writes is for nobody else to read.
"""

import os
from pathlib import Path

from pipeline.errors import InputError
from pipeline.lake import store
from pipeline.lake.store import Sweep
from pipeline.publish import audit as publishing
from pipeline.publish.audit import Audit
from pipeline.space import signed
from pipeline.space.plan import Plan
from pipeline.space.ranges import Ranges
from pipeline.sweep import enrichment, freeze
from pipeline.sweep import run as sweep
from pipeline.views import connection

#: Whoever is not the owner of a file or a folder may not even read it.
OTHERS = 0o077
PRIVATE_FOLDER = 0o700


def keep_private() -> None:
    """Let whatever this process and its children make from now on be readable by its user alone, the lake included."""
    os.umask(OTHERS)


def require_private(folder: Path) -> None:
    """Make the folder for the report, mode 0700. Raises InputError if it is there and others may read it."""
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        mode = folder.stat().st_mode
    except OSError as error:
        raise InputError(str(folder), f"cannot be made: {error.strerror}") from None
    if mode & OTHERS:
        raise InputError(
            str(folder), f"may be read by others (mode {mode & 0o777:o}); `chmod 700 {folder}`, or name another folder"
        )


def audit_plan(config: Path, lake: Path) -> Plan:
    """The plan of an audit: the one that was begun and not finished, if it is of the same configuration; else a new one.

    Raises GuardError unless all of it is in ranges that their owner signed.
    """
    fresh = freeze.freeze(config, lake)
    _require_own(fresh)
    unfinished = sweep.latest(lake, fresh.settings.name)
    if unfinished is None:
        return fresh
    begun = freeze.read(unfinished.plan)
    return begun if _asks(begun) == _asks(fresh) else fresh


def _asks(plan: Plan) -> tuple[object, ...]:
    """What makes two plans the same audit. Not the opt-outs: they are obeyed as they come."""
    return plan.digests.configuration, plan.own, plan.included, plan.reference, plan.requests, plan.code_version


def run(plan: Plan, place: Sweep) -> None:
    """Do what is missing of the sweep, up to its enriched tables."""
    sweep.work(plan, place)
    sweep.require_verified(plan, place)
    sweep.seal(plan, place)
    enrichment.enrich(plan, place)


def finished(lake: Path, name: str | None) -> tuple[Plan, Sweep]:
    """A sweep that was made before, with what is derived of it. Raises GuardError if it is no sweep of one's own ranges."""
    place = store.find(lake, name)
    plan = freeze.read(place.plan)
    _require_own(plan)
    if not place.sealed("sweeps").exists():
        raise InputError(f"sweep {place.id}", "is not finished; `census audit CONFIG` finishes it")
    if not place.sealed("fingerprints").exists():
        enrichment.enrich(plan, place)
    return plan, place


def report(plan: Plan, place: Sweep, folder: Path) -> tuple[Audit, list[Path]]:
    """Write the report, mode 0600; what it says, and its files."""
    with connection.connect(place.lake) as con:
        found = publishing.gather(con, plan)
    files = publishing.files(found)
    for name, text in files.items():
        store.write(folder / name, text.encode(), private=True)
    return found, [folder / name for name in files]


def _require_own(plan: Plan) -> None:
    signed.require(plan.own, Ranges.of(plan.ranges), "the audit")
