"""The values that all processes of a worker share."""

import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.optout import register
from pipeline.optout.watch import Watch
from pipeline.probe.shared_pacer import SharedPacer
from pipeline.space.plan import Plan
from pipeline.space.ranges import Ranges

PROGRESS_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class RemoteAssociator:
    """An associator on another machine: its name, the URL where the worker listens for it, and the folder of the worker's keys."""

    name: str
    url: str
    keys: Path

    @property
    def stage(self) -> str:
        """Return the name of the process that relays to it."""
        return f"remote-{self.name}"


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """The values that all processes of a worker share.

    A process gets them through a pipe, without the plan, which it reads from a file in `folder`. A plan may be larger than a pipe
    holds, and `multiprocessing` waits forever for a process that was killed before it has read all of its arguments.
    """

    folder: Path
    sweep: Sweep
    secret: bytes
    pcap: Path | None = None
    """File that keeps every validated answer, if one was requested."""

    remotes: tuple[RemoteAssociator, ...] = ()

    @property
    def plan(self) -> Plan:
        """Return the sweep's plan."""
        return self.sweep.plan

    @property
    def engines(self) -> list[str]:
        """Return the names of the senders' processes."""
        return [f"engine-{number}" for number in range(self.plan.probe.processes)]

    @property
    def associators(self) -> list[str]:
        """Return the names of the associators' processes, and of the relays to associators on other machines."""
        here = [f"associator-{number}" for number in range(self.plan.associate.processes)]
        return here + [remote.stage for remote in self.remotes]

    def __reduce__(self) -> tuple[Callable[..., "WorkerContext"], tuple[Any, ...]]:
        saved, draft = self.folder / "plan", self.folder / "plan.draft"
        if not saved.exists():  # a process that was started earlier may be reading it
            draft.write_bytes(pickle.dumps(self.plan))
            draft.rename(saved)
        return _with_saved_plan, (self.folder, self.sweep.paths, self.secret, self.pcap, self.remotes)

    def budget(self) -> SharedPacer:
        """Open the pacer that all senders share, at the plan's rate."""
        return SharedPacer(self.folder / "budget", self.plan.settings.rate, time.monotonic())

    def watch(self) -> Watch:
        """Return a watch over the register that the plan obeys; its filter is empty if the plan excludes all of its networks."""
        return Watch(register.of(self.plan.register, self.sweep.paths.lake), Ranges.of(self.plan.ranges))


def _with_saved_plan(
    folder: Path, paths: SweepPaths, secret: bytes, pcap: Path | None, remotes: tuple[RemoteAssociator, ...]
) -> WorkerContext:
    """Return the context of a process, with the plan that its coordinator saved."""
    plan = pickle.loads((folder / "plan").read_bytes())  # noqa: S301  the folder is private
    return WorkerContext(folder, Sweep(plan, paths), secret, pcap, remotes)
