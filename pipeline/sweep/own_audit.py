"""The audit of signed ranges: plan, sweep, verify, seal, enrich, and write a report with addresses for their owner.

Whatever the profile, it probes only ranges that their owner signed. Only the user that runs it can read what it writes.
"""

import os
from pathlib import Path

from pipeline.errors import InputError
from pipeline.lake import layout, store
from pipeline.lake.layout import Sweep
from pipeline.plan.plan import Plan
from pipeline.publish import audit as publishing
from pipeline.publish.audit import Audit
from pipeline.publish.folder import OTHERS
from pipeline.space import signed
from pipeline.space.ranges import Ranges
from pipeline.sweep import enrichment, freeze
from pipeline.sweep import run as steps
from pipeline.views import connection


def keep_private() -> None:
    """Make all files that this process and its children create readable by its user alone, the lake included."""
    os.umask(OTHERS)


def audit_plan(config: Path, lake: Path) -> Plan:
    """Return the plan of an unfinished audit of the same configuration, or else a new one.

    Raises GuardError unless all its ranges are signed by their owner.
    """
    fresh = freeze.freeze(config, lake)
    _require_own(fresh)
    unfinished = steps.latest(lake, fresh.settings.name)
    if unfinished is None:
        return fresh
    begun = layout.read_plan(unfinished.plan)
    return begun if _identity(begun) == _identity(fresh) else fresh


def _identity(plan: Plan) -> tuple[object, ...]:
    """Return what makes two plans the same audit. Opt-outs do not count: they apply as soon as they are registered."""
    return (
        plan.digests.configuration,
        plan.signed_ranges,
        plan.included,
        plan.reference,
        plan.requests,
        plan.code_version,
    )


def run(sweep: Sweep) -> None:
    """Run the missing steps of the sweep, up to its enriched tables."""
    steps.work(sweep)
    steps.require_verified(sweep)
    steps.seal(sweep)
    enrichment.enrich(sweep)


def finished(lake: Path, sweep_id: str | None) -> Sweep:
    """Open a finished audit, and enrich it if it is not. Raises GuardError if its ranges are not signed by their owner."""
    sweep = layout.open_sweep(lake, sweep_id)
    _require_own(sweep.plan)
    if not sweep.paths.sealed("sweeps").exists():
        raise InputError(f"sweep {sweep.paths.id}", "is not finished; `census audit CONFIG` finishes it")
    if not sweep.paths.sealed("fingerprints").exists():
        enrichment.enrich(sweep)
    return sweep


def report(sweep: Sweep, folder: Path) -> tuple[Audit, list[Path]]:
    """Write the report, mode 0600; return its findings and its files."""
    with connection.connect(sweep.paths.lake) as con:
        audit = publishing.gather(con, sweep.plan)
    files = publishing.files(audit)
    for name, text in files.items():
        store.write(folder / name, text.encode(), private=True)
    return audit, [folder / name for name in files]


def _require_own(plan: Plan) -> None:
    signed.require(plan.signed_ranges, Ranges.of(plan.ranges), "the audit")
