"""The same work for many items, on all processors where that is worth the start of processes."""

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

from pipeline.errors import CensusError

#: With fewer items for each processor the work is done here: starting a process takes as long as a few of them.
LEAST = 8
#: How many runs of items each processor gets, so that results come as they are done.
RUNS = 8

Item = TypeVar("Item")
Result = TypeVar("Result")
#: Works on a run of items: `work(*common, run)` gives their results.
Work = Callable[..., Sequence[Result]]


@contextmanager
def begun(work: Work[Result], common: tuple[Any, ...], items: Sequence[Item]) -> Iterator[Iterator[Result]]:
    """Begin to work on runs of items, each in their order; gives the results, in any order. Everything can be pickled.

    The results raise CensusError if the work does.
    """
    workers = min(len(os.sched_getaffinity(0)), len(items) // LEAST)
    if workers < 2:
        yield iter(work(*common, items) if items else ())
        return
    # Forked from one process that has imported what they need; each gets what is common to all runs once.
    forked = get_context("forkserver")
    forked.set_forkserver_preload([work.__module__])
    with ProcessPoolExecutor(workers, forked, _receive, (work, common)) as pool:
        yield _results(pool, [pool.submit(_run, run) for run in _runs(items, workers * RUNS)])


def _runs(items: Sequence[Item], most: int) -> Iterator[Sequence[Item]]:
    """Runs of about the same length."""
    size = -(-len(items) // most)
    return (items[begin : begin + size] for begin in range(0, len(items), size))


def _results(pool: ProcessPoolExecutor, running: Sequence[Future[tuple[Sequence[Result], str]]]) -> Iterator[Result]:
    for done in as_completed(running):
        results, error = done.result()
        if error:
            pool.shutdown(cancel_futures=True)
            raise CensusError(error)
        yield from results


class _Given:
    """What a process of the pool has received: the work, and what is common to all runs."""

    work: Work[Any]
    common: tuple[Any, ...]


def _receive(work: Work[Any], common: tuple[Any, ...]) -> None:
    _Given.work, _Given.common = staticmethod(work), common
    gc.freeze()  # what is common may have a million parts, which need not be looked through again and again


def _run(items: Sequence[Any]) -> tuple[Sequence[Any], str]:
    """The results of some items, or why there are none: our errors take more than one argument, so they cannot be pickled."""
    try:
        return _Given.work(*_Given.common, items), ""
    except CensusError as error:
        return [], str(error)
