"""How many tasks (processes and threads) a worker may have: the kernel limits those of a control group and those of a user.

A service manager or container sets the first (`TasksMax=`, `--pids-limit`: pids.max of cgroups(7)), a shell the second
(`ulimit -u`: RLIMIT_NPROC of setrlimit(2)), which does not bind root.
"""

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.errors import CensusError
from pipeline.plan.plan import Plan

#: Tasks of a sweep besides those of its senders and associators: flow, Prefect's server, writer. The demo's peak is 48 in all.
OTHER_TASKS, PROCESS_TASKS = 40, 8
#: DuckDB, Arrow and numpy each start a thread a processor.
THREADS_A_PROCESSOR = 4
#: Tasks that can still start when a worker ends: enough to write parts and receipts of what it winds down.
SPARE_TASKS = 6


@dataclass(frozen=True, slots=True)
class TaskLimit:
    """A limit of tasks, how many of them are in use, and what raises it."""

    most: int
    used: int
    remedy: str

    @property
    def left(self) -> int:
        """How many more tasks may start."""
        return self.most - self.used


def needed(plan: Plan | None) -> int:
    """Return how many tasks a sweep needs at most; with no plan, one with one sender and one associator."""
    return OTHER_TASKS + THREADS_A_PROCESSOR * (os.cpu_count() or 1) + of_worker(plan)


def of_worker(plan: Plan | None) -> int:
    """Return how many tasks a worker's senders and associators have at most."""
    return PROCESS_TASKS * (plan.probe.processes + plan.associate.processes if plan else 2)


def require_enough(plan: Plan | None) -> None:
    """Raise CensusError if the tasks of a worker, all of whose other processes run already, could not start."""
    limit = lowest()
    if limit and limit.left < of_worker(plan):
        raise CensusError(f"{shortage(limit, of_worker(plan))}; {limit.remedy}")


def shortage(limit: TaskLimit, wanted: int) -> str:
    """Say how many tasks may start, and how many a sweep needs."""
    left = max(limit.left, 0)
    return f"{left:,} more processes and threads may start here, of {limit.most:,} in all, and a sweep needs up to {wanted:,}"


def lowest() -> TaskLimit | None:
    """Return the limit that leaves the fewest tasks, or None if nothing limits them."""
    return min((*_of_groups(), *_of_user()), key=lambda limit: limit.left, default=None)


def require_spare() -> None:
    """Raise CensusError if as good as all tasks that may run do."""
    limit = lowest()
    if limit and limit.left < SPARE_TASKS:
        raise CensusError(
            f"{limit.used:,} of {limit.most:,} processes and threads run that may; {limit.remedy}, then run again with --resume"
        )


def control_groups(own: str, mounts: str) -> Iterator[Path]:
    """Yield the folders of the control groups that count our tasks, from the texts of /proc/self/cgroup and /proc/self/mountinfo."""
    paths = dict(line.split(":", 2)[1:] for line in own.splitlines())
    counting = next((path for controllers, path in paths.items() if "pids" in controllers.split(",")), None)
    of_system = {"cgroup2": paths.get(""), "cgroup": counting}
    for line in mounts.splitlines():
        place, _, system_of = line.partition(" - ")
        root, mounted = place.split()[3:5]
        system, _, options = system_of.split(" ", 2)
        path = of_system.get(system)
        if path and PurePosixPath(path).is_relative_to(root) and (system == "cgroup2" or "pids" in options.split(",")):
            inner = PurePosixPath(path).relative_to(root)
            yield from (Path(mounted, part) for part in (inner, *inner.parents))


def _of_groups() -> Iterator[TaskLimit]:
    own, mounts = (Path("/proc/self", name).read_text("utf-8", "replace") for name in ("cgroup", "mountinfo"))
    for folder in control_groups(own, mounts):
        with suppress(OSError, ValueError):  # a root has no limit, and another's folder may not be ours to read
            most, used = (int((folder / name).read_text()) for name in ("pids.max", "pids.current"))
            yield TaskLimit(most, used, "raise TasksMax= of the systemd unit, or --pids-limit of the container")


def _of_user() -> Iterator[TaskLimit]:
    most, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if most == resource.RLIM_INFINITY or os.getuid() == 0:
        return
    used = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            fields = dict(line.partition(":\t")[::2] for line in status.read_text("utf-8", "replace").splitlines())
            used += int(fields["Threads"]) if fields["Uid"].split()[0] == str(os.getuid()) else 0
    yield TaskLimit(most, used, "raise the limit of processes (`ulimit -u`, or LimitNPROC= in a systemd unit)")
