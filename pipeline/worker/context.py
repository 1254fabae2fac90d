"""The values that all processes of a worker share."""

import time
from dataclasses import dataclass
from pathlib import Path

from pipeline.lake.layout import Sweep
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
    """The values that all processes of a worker share."""

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

    def budget(self) -> SharedPacer:
        """Open the pacer that all senders share, at the plan's rate."""
        return SharedPacer(self.folder / "budget", self.plan.settings.rate, time.monotonic())

    def watch(self) -> Watch:
        """Return a watch over the register that the plan obeys; its filter is empty if the plan excludes all of its networks."""
        return Watch(register.of(self.plan.register, self.sweep.paths.lake), Ranges.of(self.plan.ranges))
