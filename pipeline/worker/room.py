"""Room on the lake's disk, in memory, for open files and for processes, watched while a worker runs.

A worker ends in order before one of them is used up: what is done is kept, and what was under way runs again.
"""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline import host
from pipeline.errors import CensusError
from pipeline.lake.store import Location
from pipeline.plan.plan import Plan
from pipeline.worker import open_files, task_limit

#: Room that is left when a worker ends: enough for the receipts and journals of what it winds down, and for other programs.
DISK_BYTES, MEMORY_BYTES = 4 << 20, 64 << 20
#: Seconds between looks.
LOOK_SECONDS = 2.0


def require_enough(plan: Plan) -> None:
    """Raise CensusError if the processes of a worker could not open the files, or start the tasks, that they need."""
    open_files.require_enough(plan)
    task_limit.require_enough(plan)


@dataclass(slots=True)
class Room:
    """The room for a worker of a lake. A bucket's disk is not ours."""

    lake: Location
    processes: Callable[[], Iterable[int]]
    """The pids of the worker's processes now."""
    _looked: float = float("-inf")

    def check(self) -> None:
        """Look now and then. Raises CensusError if a disk or the memory is as good as full, or files and tasks run out."""
        if host.clock() - self._looked < LOOK_SECONDS:
            return
        self._looked = host.clock()
        if isinstance(self.lake, Path) and (free := shutil.disk_usage(self.lake).free) < DISK_BYTES:
            raise CensusError(
                f"{self.lake}: No space left on device, or soon: {free >> 10:,} kB; free some space, then run again with --resume"
            )
        if (free := host.memory_available()) < MEMORY_BYTES:
            raise CensusError(
                f"only {free >> 20:,} MB of memory are available; free some, then run again with --resume"
            )
        open_files.require_spare(self.processes())
        task_limit.require_spare()
