"""The sweep: plan → every vantage runs shards → verify → seal → enrich → report."""

from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from flows.asked import Asked, Ended
from flows.embedded import require_alive
from flows.fleet import Fleet
from flows.report import report
from flows.shown import Shown, show_results
from flows.vantage import stand
from pipeline.lake import store
from pipeline.lake.layout import Sweep
from pipeline.sweep import enrichment, freeze
from pipeline.sweep import run as steps


@task(cache_policy=NO_CACHE)
def verify(sweep: Sweep) -> None:
    """Prove that receipts, tables and plan add up."""
    steps.require_verified(sweep)


@task(cache_policy=NO_CACHE)
def seal(sweep: Sweep) -> None:
    """Compact the sweep into its final tables."""
    steps.seal(sweep)


@task(cache_policy=NO_CACHE)
def enrich(sweep: Sweep) -> None:
    """Place the addresses in countries and networks."""
    enrichment.enrich(sweep)


@flow(name="sweep", validate_parameters=False)
def sweep(
    source: str, lake: str | None = None, vantages: list[str] | None = None, output: str | None = None
) -> State[Any] | str:
    """Run a configuration or a plan into a lake; what has a receipt is not run again. Returns the sweep's id.

    `vantages` names a deployment of the flow `vantage` for each place to send from; without one this process sends. A sweep of
    the same series that is not sealed is finished first. With `output`, the report goes to that folder.
    """
    plan, folder = steps.prepare(source, store.at(lake) if lake else None, steps.latest)
    freeze.require_fit(plan) if vantages else freeze.check(plan)  # a vantage checks for itself whether it may send
    begun = steps.begin(plan, folder)
    asked, shown = Asked(), Shown(begun)
    try:
        if vantages:
            Fleet(begun, vantages).run(asked, shown)
        else:
            stand(begun, require_alive, asked, shown)
    except Ended as ended:
        return ended.state
    shown(now=True)
    steps.quarantine_fallen(begun)
    verify(begun)
    seal(begun)
    enrich(begun)
    show_results(begun)
    if output:
        report(str(folder), output, begun.paths.id)
    return begun.paths.id
