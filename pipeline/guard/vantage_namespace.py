"""The vantage: the network namespace that probes leave from."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pipeline.errors import CensusError
from pipeline.guard.namespaces import inode, inside

#: The network namespace that probes leave from, as a file (`/run/netns/NAME`) or a process that lives in it; our own if not set.
VANTAGE = "CENSUS_VANTAGE"

T = TypeVar("T")


def at_vantage(work: Callable[[], T]) -> T:
    """Do `work` in the vantage's network namespace: sockets that it makes stay there, this thread does not move."""
    named = os.environ.get(VANTAGE)
    if not named:
        return work()
    place = int(named) if named.isdecimal() else Path(named)
    try:
        return work() if inode() == inode(place) else inside(place, work)
    except FileNotFoundError as error:
        raise CensusError(f"{VANTAGE}={named}: is not a network namespace: {error}") from None


def look_up_at_vantage(work: Callable[[], T]) -> T:
    """Do `work` there in a thread without an event loop: pyroute2 takes one that runs, and fails in uvloop's."""
    return inside(None, lambda: at_vantage(work))
