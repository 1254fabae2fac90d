"""The sweep: plan → every vantage runs shards → verify → seal → enrich → report."""

from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.artifacts import ProgressArtifacts, show_results
from flows.cancellation import CancellationCheck, RunEnded
from flows.embedded import require_alive
from flows.fleet import Fleet
from flows.report import report
from flows.vantage import run_shards
from pipeline.config.load import lake_and_release
from pipeline.errors import InputError
from pipeline.lake import store
from pipeline.lake.layout import Sweep
from pipeline.sweep import enrichment, freeze
from pipeline.sweep import run as steps
from pipeline.sweep.deadline import deadline
from pipeline.sweep.unattended import prepare_unattended


@task(cache_policy=NO_CACHE)
def verify(sweep: Sweep) -> None:
    """Check that receipts, tables and plan are consistent."""
    steps.require_verified(sweep)


@task(cache_policy=NO_CACHE)
def seal(sweep: Sweep) -> None:
    """Compact the sweep into its final tables."""
    steps.seal(sweep)


@task(cache_policy=NO_CACHE)
def enrich(sweep: Sweep) -> None:
    """Look up the countries and networks of the addresses."""
    enrichment.enrich(sweep)


@flow(name="sweep", validate_parameters=False)
def sweep(
    source: str,
    lake: str | None = None,
    vantages: list[str] | None = None,
    output: str | None = None,
    max_runtime: float | None = None,
    *,
    resume: bool = False,
) -> State[Any] | str:
    """Run a configuration or a plan into a lake, and return the sweep's id. Ranges that have a receipt are not run again.

    `vantages` names a deployment of the flow `vantage` for each machine that sends; without it this process sends. If the series
    has an unfinished sweep that this program and configuration can finish, it is finished instead; with `resume`, no other is
    ever begun. With `output`, the report goes to that folder. Without `vantages` it ends in an orderly way after `max_runtime`
    seconds of sending.
    """
    if vantages and max_runtime:
        raise InputError("max_runtime", "ends a process that sends itself, not its vantages; cancel the run instead")
    target = store.at(lake) if lake else None
    if resume and (reason := steps.nothing_to_resume(source, target)):
        return Completed(message=reason)
    plan, folder = steps.prepare(source, target, steps.unfinished) if resume else prepare_unattended(source, target)
    freeze.require_fit(plan) if vantages else freeze.check(plan)  # each vantage checks whether it may send
    begun = steps.begin(plan, folder)
    check, show = CancellationCheck(), ProgressArtifacts(begun)
    try:
        if vantages:
            Fleet(begun, vantages).run(check, show)
        else:
            run_shards(begun, require_alive, check, deadline(max_runtime), show)
    except RunEnded as ended:
        return ended.state
    show(now=True)
    steps.quarantine_fallen(begun)
    verify(begun)
    seal(begun)
    enrich(begun)
    show_results(begun)
    if output:
        report(str(folder), output, begun.paths.id, lake_and_release(source)[1].licence)
    return begun.paths.id
