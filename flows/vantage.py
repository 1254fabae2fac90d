"""The part of a sweep that one vantage does: one task a shard, until nothing in the lake is missing."""

import logging
from collections.abc import Callable
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from flows.cancellation import CancellationCheck, RunEnded
from pipeline.errors import GuardError, InputError, Interrupted
from pipeline.lake import layout, store
from pipeline.lake.layout import Sweep
from pipeline.record.rounds import Round
from pipeline.sweep import freeze
from pipeline.worker import remarks
from pipeline.worker.engine_choice import choose
from pipeline.worker.shards import ShardRunner

#: Seconds before the first and the second retry of a shard that failed.
RETRY_DELAYS = [5.0, 30.0]
#: Errors that a retry cannot resolve.
FINAL = (GuardError, InputError, Interrupted)

log = logging.getLogger("pipeline.vantage")


def is_retryable(_task: object, _run: object, state: State[Any]) -> bool:
    """Whether to retry a shard that failed. A new worker then runs only the ranges that are missing in the lake."""
    return not isinstance(state.result(raise_on_failure=False), FINAL)


@task(
    task_run_name="{name}-{shard}",
    cache_policy=NO_CACHE,
    retries=len(RETRY_DELAYS),
    retry_delay_seconds=RETRY_DELAYS,
    retry_condition_fn=is_retryable,
)
def run_shard(runner: ShardRunner, name: str, round_: Round, shard: int) -> int:
    """Run the ranges of a shard that are missing in a round; returns their number."""
    return runner.run(round_, shard)


def run_shards(sweep: Sweep, *checks: Callable[[], None]) -> None:
    """Run shards that no other vantage has claimed until none is missing, or one of the checks raises."""

    def watch() -> None:
        for check in checks:
            check()

    with ShardRunner(sweep) as runner:
        runner.work(lambda round_, shard: run_shard(runner, round_.task, round_, shard), watch)


@flow(name="vantage", validate_parameters=False)
def vantage(lake: str, sweep: str) -> State[Any] | None:
    """Take part in a sweep that has begun in a lake, sending from the machine of this process."""
    joined = layout.open_sweep(store.at(lake), sweep)
    freeze.check(joined.plan)
    for remark in remarks.remarks(choose(joined.plan).plan):
        log.warning(remark)
    try:
        run_shards(joined, CancellationCheck())
    except RunEnded as ended:
        return ended.state
    return None
