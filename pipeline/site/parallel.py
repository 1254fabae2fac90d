"""The same work for many items, on all processors where that is worth the start of processes."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any, TypeVar

from pipeline.errors import CensusError

#: With fewer items for each processor the work is done here: starting a process takes as long as a few of them.
LEAST = 8
#: How many parts of the work each processor gets, so that results come as they are done.
PARTS = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(work: Callable[..., Result], common: tuple[Any, ...], items: Sequence[Item]) -> Iterator[Result]:
    """Yield `work(*common, item)` of each item, in any order; everything can be pickled. Raises CensusError if the work does."""
    workers = min(len(os.sched_getaffinity(0)), len(items) // LEAST)
    if workers < 2:
        yield from (work(*common, item) for item in items)
        return
    parts = [items[number :: workers * PARTS] for number in range(workers * PARTS)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        running = [pool.submit(_part, work, common, part) for part in parts if part]
        for done in as_completed(running):
            results, error = done.result()
            if error:
                pool.shutdown(cancel_futures=True)
                raise CensusError(error)
            yield from results


def _part(work: Callable[..., Result], common: tuple[Any, ...], items: Sequence[Item]) -> tuple[list[Result], str]:
    """The results of some items, or why there are none: our errors take more than one argument, so they cannot be pickled."""
    try:
        return [work(*common, item) for item in items], ""
    except CensusError as error:
        return [], str(error)
