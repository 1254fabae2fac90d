"""How many connections the processes of a worker may have open: each takes a file, and the kernel limits the files of a process.

The soft limit is 1,024 by default, for the sake of programs that use select(2), which ours do not. A process may raise it to its
hard limit (getrlimit(2)); the limits are inherited from whoever starts the worker.
"""

import os
import resource
from collections.abc import Iterable
from contextlib import suppress

from pipeline import host, logs, schema
from pipeline.errors import CensusError
from pipeline.plan.plan import Plan
from pipeline.words.plural import plural

#: Files that a process has open besides its connections: libraries, channels, logs of its ranges. Some 30 were seen.
OTHER_FILES = 96
#: Ranges of a shard that are open at a time: one is sent; others cool down, or wait for the associators.
RANGES_OPEN = 4
#: Files that a process can still open when its worker ends: enough for the parts and receipts of what it winds down.
SPARE_FILES = 16
REMEDY = "raise the hard limit of open files (`ulimit -Hn`, or LimitNOFILE= in a systemd unit)"


def needed(plan: Plan) -> int:
    """Return how many files a process needs at least: the writer keeps a journal for each table of each open range."""
    shards = plan.probe.processes + 1
    return OTHER_FILES + shards * RANGES_OPEN * len(schema.JOURNALED)


def require_enough(plan: Plan) -> None:
    """Raise CensusError if the processes of a worker, which inherit this one's limits, could not open the files they need."""
    limit = host.raise_file_limit(needed(plan))
    if limit < needed(plan):
        raise CensusError(f"a process may open {limit} files here, and a worker needs {needed(plan)}; {REMEDY}")


def connections(who: str, most: int, *, enough: int) -> int:
    """Raise this process's limit for `most` connections; return how many it may have, with a warning if not `enough`."""
    limit = host.raise_file_limit(most + OTHER_FILES)
    allowed = min(most, limit - OTHER_FILES)
    if allowed < enough:
        logs.warning(
            f"{who} holds {plural(allowed, 'connection')} at a time, not {enough:,}, since a process may open {limit:,} "
            f"files here; {REMEDY}"
        )
    return allowed


def require_spare(pids: Iterable[int]) -> None:
    """Raise CensusError if one of these processes has as good as all the files open that it may; one that has ended has none."""
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            limit, _ = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            opened = len(os.listdir(f"/proc/{pid}/fd"))
            if limit != resource.RLIM_INFINITY and opened > limit - SPARE_FILES:
                raise CensusError(
                    f"process {pid} has {opened:,} of the {limit:,} files open that it may; {REMEDY}, then run again with --resume"
                )
