"""The values that all processes of a worker share."""

import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.engines import Engine
from pipeline.errors import InputError
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.optout import register
from pipeline.optout.watch import Watch
from pipeline.plan import plan as planning
from pipeline.plan.plan import Plan
from pipeline.probe.pacer import Pacer
from pipeline.probe.shared_pacer import SharedPacer
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


Remotes = tuple[RemoteAssociator, ...]


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

    remotes: Remotes = ()
    engine: Engine | None = None
    """The engine that was chosen, if the plan leaves it to the vantage."""

    @property
    def plan(self) -> Plan:
        """Return the plan as it is run here: that of the sweep, which is signed, with the engine of this vantage."""
        return planning.with_engine(self.sweep.plan, self.engine) if self.engine else self.sweep.plan

    @property
    def yields(self) -> bool:
        """Return whether another engine takes over if no frame leaves; otherwise a warning says so."""
        return self.sweep.plan.probe.engine.automatic

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
            draft.write_bytes(pickle.dumps(self.sweep.plan))
            draft.rename(saved)
        rest = self.secret, self.pcap, self.remotes, self.engine
        return _with_saved_plan, (self.folder, self.sweep.paths, *rest)

    def budget(self) -> Pacer:
        """Open the pacer that all senders share, at the plan's rate; a sender without others has one of its own."""
        rate, now = self.plan.settings.rate, time.monotonic()
        return Pacer(rate, now) if self.plan.probe.processes == 1 else SharedPacer(self.folder / "budget", rate, now)

    def watch(self) -> Watch:
        """Return a watch over the register that the plan obeys; its filter is empty if the plan excludes all of its networks."""
        return Watch(register.of(self.plan.register, self.sweep.paths.lake), Ranges.of(self.plan.ranges))


def require_associators(plan: Plan, remotes: Remotes) -> None:
    """Raise InputError if nothing can open associations."""
    if not plan.associate.processes and not remotes:
        raise InputError(
            "key associate.processes",
            "is 0 and no --associator was given, so nothing can open associations; "
            "set it to 1 or more, or pass --associator NAME=URL",
        )


def _with_saved_plan(folder: Path, paths: SweepPaths, *rest: Any) -> WorkerContext:
    """Return the context of a process, with the plan that its coordinator saved."""
    plan = pickle.loads((folder / "plan").read_bytes())  # noqa: S301  the folder is private
    return WorkerContext(folder, Sweep(plan, paths), *rest)
