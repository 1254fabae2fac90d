"""What one vantage does of a sweep: one task a shard, until the lake says that nothing is missing."""

from collections.abc import Callable
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from flows.asked import Asked, Ended
from pipeline.errors import GuardError, InputError, Interrupted
from pipeline.lake import layout, store
from pipeline.lake.layout import Sweep
from pipeline.record.rounds import Round
from pipeline.sweep import freeze
from pipeline.worker.shards import ShardRunner

#: Seconds before a shard that failed is tried again, and once more.
DELAYS = [5.0, 30.0]
#: What trying again does not mend.
FINAL = (GuardError, InputError, Interrupted)


def worth_another(_task: object, _run: object, state: State[Any]) -> bool:
    """Whether a shard that failed is tried again: by a new worker, and only what the lake says is missing."""
    return not isinstance(state.result(raise_on_failure=False), FINAL)


@task(
    task_run_name="{name}-{shard}",
    cache_policy=NO_CACHE,
    retries=len(DELAYS),
    retry_delay_seconds=DELAYS,
    retry_condition_fn=worth_another,
)
def run_shard(crew: ShardRunner, name: str, round_: Round, shard: int) -> int:
    """Run what the lake says is missing of a shard in a round; how many ranges that were."""
    return crew.run(round_, shard)


def stand(sweep: Sweep, *looks: Callable[[], None]) -> None:
    """Run shards that are nobody else's until none is missing, or one of the looks raises."""

    def look() -> None:
        for each in looks:
            each()

    with ShardRunner(sweep) as crew:
        crew.work(lambda round_, shard: run_shard(crew, round_.task, round_, shard), look)


@flow(name="vantage", validate_parameters=False)
def vantage(lake: str, sweep: str) -> State[Any] | None:
    """Take part in a sweep that was begun in a lake, from where this process stands."""
    joined = layout.open_sweep(store.at(lake), sweep)
    freeze.check(joined.plan)
    try:
        stand(joined, Asked())
    except Ended as ended:
        return ended.state
    return None
