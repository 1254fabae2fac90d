"""The sweep: plan → one task a shard → verify → seal → enrich → report."""

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.task_runners import ThreadPoolTaskRunner

from pipeline import sweep as steps
from pipeline.lake import store
from pipeline.lake.store import Sweep
from pipeline.space.plan import Plan
from pipeline.worker import Worker

#: Two shards at once: one sends while the one before it cools down. They share one engine and one budget.
SHARDS_AT_ONCE = 2


@task(task_run_name="shard-{number}", cache_policy=NO_CACHE, retries=0)
def run_shard(worker: Worker, number: int) -> int:
    """Run what the lake says is missing of a shard; how many ranges that were."""
    return worker.run_shard(number)


@task(task_run_name="second-visits-{number}", cache_policy=NO_CACHE, retries=0)
def run_second(worker: Worker, number: int) -> int:
    """Make the second visits of a shard that are missing; how many ranges that were."""
    return worker.run_second(number)


@task(task_run_name="harm-checks-{number}", cache_policy=NO_CACHE, retries=0)
def run_checks(worker: Worker, number: int) -> int:
    """Wait for the harm checks of a shard; how many ranges that were."""
    return worker.run_checks(number)


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
    steps.enrich(plan, place)


@flow(
    name="sweep",
    validate_parameters=False,
    task_runner=ThreadPoolTaskRunner(max_workers=SHARDS_AT_ONCE),  # type: ignore[arg-type]
)
def sweep(plan_file: str, lake: str) -> str:
    """Run a frozen plan into a lake; what has a receipt is not run again. Returns the sweep's id."""
    plan = steps.read(store.at(plan_file))
    steps.check(plan)
    place = steps.begin(plan, store.at(lake))
    with Worker(plan, place) as worker:
        missing = steps.missing_shards(plan, place)
        wanted = (run_shard, True), (run_second, plan.settings.profile == "tls"), (run_checks, plan.harm is not None)
        rounds = [each for each, due in wanted if due]
        try:
            for each in rounds:
                for future in [each.submit(worker, number) for number in missing]:
                    future.result()
        except BaseException:
            worker.stop()
            raise
    steps.rest(plan, place)
    verify(plan, place)
    seal(plan, place)
    enrich(plan, place)
    return place.id
