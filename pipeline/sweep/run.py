"""The steps of a sweep: begin it in a lake, run its pending ranges, verify it and seal it."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from pipeline import checkout
from pipeline.config.load import load_config
from pipeline.config.toml_file import NONE, Overrides
from pipeline.errors import CensusError, GuardError, InputError
from pipeline.lab.signature import is_valid
from pipeline.lake import attestation, harm_targets, layout, pending, receipts, store, turn, verify, voiding
from pipeline.lake.layout import ENRICHED, Sweep, SweepPaths, read_plan
from pipeline.lake.store import Location
from pipeline.optout import quarantine, register
from pipeline.plan import plan as planning
from pipeline.plan.differences import differences
from pipeline.plan.plan import Plan
from pipeline.sweep.deadline import deadline
from pipeline.sweep.freeze import check, freeze
from pipeline.sweep.unchanged import require_unchanged
from pipeline.views import linked_marts, marts
from pipeline.words.plural import plural
from pipeline.worker.context import RemoteAssociator
from pipeline.worker.shards import ShardRunner

#: How the name of a plan's file ends; any other is that of a configuration.
PLAN_SUFFIX = ".json"
#: Finds the sweep of a series in a lake that is to be resumed, if there is one.
FindUnfinished = Callable[[Location, str], SweepPaths | None]


def begin(plan: Plan, lake: Location) -> Sweep:
    """Put the plan into the lake.

    Raises InputError if the lake's register cannot be read, and GuardError if the lake holds another plan of this name.
    """
    paths = SweepPaths(lake, plan.sweep)
    store.make_lake(lake)
    register.begin(plan.register, lake)
    if not store.write(paths.plan, planning.encode(plan), new=True):
        field = next(differences(plan, read_plan(paths.plan)), None)
        if field:
            raise GuardError(
                f"{paths.plan}: another plan of this name has begun in this lake (field {field}); plan again"
            )
    return Sweep(plan, paths)


def prepare(
    source: str, lake: Location | None = None, resume: FindUnfinished | None = None, overrides: Overrides = NONE
) -> tuple[Plan, Location]:
    """Return the plan of a configuration or plan file, and the lake that it goes to.

    With `resume`, the plan is that of the series' unfinished sweep if the lake holds one. Raises GuardError if the configuration,
    with the keys of `overrides`, is no longer what that plan was frozen from.
    """
    if source.endswith(PLAN_SUFFIX):
        if overrides:
            raise InputError(source, "is a frozen plan, whose settings cannot be changed; give its configuration")
        return read_plan(store.at(source)), lake or store.at("lake")
    loaded = load_config(Path(source), overrides)
    target = lake or store.at(loaded.lake.url)
    unfinished_sweep = resume(target, loaded.sweep.name) if resume else None
    today = freeze(Path(source), target, overrides=overrides)
    if unfinished_sweep is None:
        return today, target
    plan = read_plan(unfinished_sweep.plan)
    require_unchanged(plan, today, unfinished_sweep)
    return plan, target


def nothing_to_resume(source: str, lake: Location | None = None) -> str:
    """Return why the sweep of a plan, or the latest of a configuration's series, needs no resuming; empty if it does.

    Raises InputError if the lake holds no such sweep.
    """
    if source.endswith(PLAN_SUFFIX):
        target, paths = (
            lake or store.at("lake"),
            SweepPaths(lake or store.at("lake"), read_plan(store.at(source)).sweep),
        )
        begun, what = ([paths] if paths.plan.exists() else []), f"sweep {paths.id}"
    else:
        loaded = load_config(Path(source))
        target = lake or store.at(loaded.lake.url)
        begun, what = _series(target, loaded.sweep.name), f"sweep of the series {loaded.sweep.name}"
    if not begun:
        raise InputError(str(target), f"has no {what} to resume; run it without --resume")
    if any(not paths.sealed("sweeps").exists() for paths in begun) or not begun[-1].sealed(ENRICHED).exists():
        return ""
    return f"nothing to resume: {begun[-1].id} is sealed; nothing was sent"


def stopped(plan: Plan, lake: Location) -> Iterator[str]:
    """Yield why no sweep sends now, if the register that a plan obeys is stopped, and what lets it go on."""
    obeyed = register.of(plan.register, lake)
    stop = register.state(obeyed).stop
    if stop:
        yield (
            f"the register {obeyed.where} is stopped by {stop.who} since {stop.at:%Y-%m-%d %H:%M} UTC: {stop.reason}; "
            f"nothing is sent until `census go {obeyed.where}`"
        )


def voided(sweep: Sweep) -> Iterator[str]:
    """Yield how many ranges of a sweep were run again since the hit rate had fallen, and how it had, for each fall."""
    reasons = Counter(record.reason for record in voiding.records(sweep.paths))
    for reason, ranges in reasons.items():
        yield f"{plural(ranges, 'receipt was void and its range', 'receipts were void and their ranges')} run again: {reason}"


def late(sweep: Sweep) -> Iterator[str]:
    """Yield how many conversations of a sweep this program may have ended too soon, since a machine was too busy, if any."""
    deadlines = sum(receipt.late_deadlines or 0 for receipt in receipts.read_receipts(sweep.paths))
    if deadlines:
        yield (
            f"{plural(deadlines, 'conversation')} ended by our own deadline after the machine had been too busy to serve them, so "
            "answers may be missing: give it more processor time, or lower [sweep] rate or [associate] at_once (`late_deadlines` "
            "in receipts)"
        )


def latest(lake: Location, name: str) -> SweepPaths | None:
    """Return the latest sweep of a series that is not sealed, if there is one."""
    unsealed = [paths for paths in _series(lake, name) if not paths.sealed("sweeps").exists()]
    return unsealed[-1] if unsealed else None


def others(plan: Plan, lake: Location) -> Iterator[str]:
    """Yield that an earlier sweep of the plan's series is not finished, if that is so: this one begins next to it."""
    paths = latest(lake, plan.name)
    if paths and paths.id != plan.sweep:
        yield (
            f"sweep {paths.id} of this series is not finished, and another begins; --resume finishes it if configuration and program "
            "are still the same"
        )


def unfinished(lake: Location, name: str) -> SweepPaths | None:
    """Return the latest sweep of a series that is not sealed, or else its last sweep if that is not enriched."""
    last = _series(lake, name)[-1:]
    return latest(lake, name) or next((paths for paths in last if not paths.sealed(ENRICHED).exists()), None)


def _series(lake: Location, name: str) -> list[SweepPaths]:
    """Return the sweeps of a series, oldest first."""
    return [s for s in layout.sweeps(lake) if s.id.partition("-")[2] == name] if (lake / "plans").is_dir() else []


def missing(sweep: Sweep) -> bool:
    """Return whether some range has no receipt."""
    return bool(pending.pending_shards(sweep))


def work(
    sweep: Sweep,
    *,
    pcap: Path | None = None,
    remotes: tuple[RemoteAssociator, ...] = (),
    max_runtime: float | None = None,
) -> int:
    """Run every range that has no receipt, and return how many were run. Raises Interrupted after `max_runtime` seconds.

    With `pcap`, every validated answer is kept in that file; with `remotes`, associators on other machines take their share
    of the visits. It ends when nothing is missing: it waits for shards that other vantages run, and takes over those whose
    runner died.
    """
    check(sweep.plan)
    with ShardRunner(sweep, pcap=pcap, remotes=remotes) as runner:
        ranges = runner.work(watch=deadline(max_runtime))
    quarantine_fallen(sweep)
    return ranges


def quarantine_fallen(sweep: Sweep) -> list[str]:
    """Quarantine the hosts that stopped answering after a visit; return those that were not quarantined yet."""
    if sweep.plan.harm is None:
        return []
    silent = harm_targets.fallen(sweep.paths)["ip"].to_pylist()
    return quarantine.add(register.of(sweep.plan.register, sweep.paths.lake), silent, sweep.paths.id)


def require_verified(sweep: Sweep) -> None:
    """Raise CensusError naming the first thing that does not add up, or that is not as it was signed."""
    plan = sweep.plan
    if plan.signature and not is_valid(plan.signature, planning.PURPOSE, plan.digest.encode()):
        raise CensusError(f"does not add up: {sweep.paths.plan} has a signature that is not over its digest")
    if plan.focus and plan.focus.probed(plan.settings.seed).digest != plan.digests.target_space:
        raise CensusError(f"does not add up: {sweep.paths.plan} probes other /24s than its seed draws (field focus)")
    fault = next(verify.faults(sweep), None)
    if fault:
        raise CensusError(f"does not add up: {fault.where} {fault.what}")
    if sweep.paths.sealed("sweeps").exists():
        attestation.require(sweep.paths, attestation.faults(sweep.paths, marts=linked_marts.in_use(sweep.paths)))


def unsigned(plan: Plan) -> Iterator[str]:
    """Yield that a plan is not signed, if that is so: it is of an earlier version, or somebody took its signature away."""
    if plan.signature is None:
        yield "the plan is not signed, as none of earlier versions is: nothing proves that it is as it was frozen"


def seal(sweep: Sweep, message: Callable[[str], object] = lambda _: None) -> None:
    """Compact a verified sweep into its sorted tables, and sign it; if another command does, wait, and say so."""
    with turn.of(sweep.paths, message):
        verify.seal(sweep, sealed_at=time.time_ns() // 1000, code_version=checkout.code())


def proven(lake: Location, paths: SweepPaths, *, unverified: bool = False) -> str:
    """Return which proof the numbers of a report stand on. Raises CensusError if it is broken, unless it is not wanted.

    Of the sweeps that it is compared with, only marts are read if they are built.
    """
    return proofs(lake, [paths.id], unverified=unverified)[paths.id]


def proofs(lake: Location, sweeps: Collection[str], *, unverified: bool = False) -> dict[str, str]:
    """Return which proof the numbers of each of these sweeps stand on, as `proven` does for one.

    If the proof of any sweep of the lake is broken, so is that of all, since they are compared.
    """
    ended = [each for each in layout.sweeps(lake) if each.sealed("sweeps").exists()]
    try:
        built = linked_marts.folders(ended)
        for each in ended:
            tables = each.id in sweeps or not marts.complete(each)
            attestation.require(each, attestation.faults(each, marts=built[each.id], tables=tables))
    except CensusError as error:
        if not unverified:
            raise CensusError(f"{error}; --unverified reports all the same, and says so") from None
        return dict.fromkeys(sweeps, f"not verified: {error}")
    return {each.id: attestation.sentence(each) for each in ended if each.id in sweeps}
