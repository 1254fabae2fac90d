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
from pipeline.lake.store import Sweep
from pipeline.space.plan import Plan
from pipeline.sweep import enrichment, freeze
from pipeline.sweep import run as steps


@task(cache_policy=NO_CACHE)
def verify(plan: Plan, place: Sweep) -> None:
    """Prove that receipts, tables and plan add up."""
    steps.require_verified(plan, place)


@task(cache_policy=NO_CACHE)
def seal(plan: Plan, place: Sweep) -> None:
    """Compact the sweep into its final tables."""
    steps.seal(plan, place)


@task(cache_policy=NO_CACHE)
def enrich(plan: Plan, place: Sweep) -> None:
    """Place the addresses in countries and networks."""
    enrichment.enrich(plan, place)


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
    place = steps.begin(plan, folder)
    asked, shown = Asked(), Shown(plan, place)
    try:
        if vantages:
            Fleet(plan, place, vantages).run(asked, shown)
        else:
            stand(plan, place, require_alive, asked, shown)
    except Ended as ended:
        return ended.state
    shown(now=True)
    steps.rest(plan, place)
    verify(plan, place)
    seal(plan, place)
    enrich(plan, place)
    show_results(place, plan.settings.name)
    if output:
        report(str(folder), output, place.id)
    return place.id
