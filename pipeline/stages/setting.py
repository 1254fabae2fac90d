"""What every process of a worker is given."""

from dataclasses import dataclass
from pathlib import Path

from pipeline import register
from pipeline.lake.store import Sweep
from pipeline.register import Watch
from pipeline.space.plan import Plan
from pipeline.space.ranges import Ranges

PROGRESS_SECONDS = 0.5


def associator_names(plan: Plan) -> list[str]:
    """The names of the associators' processes."""
    return [f"associator-{number}" for number in range(plan.associate.processes)]


@dataclass(frozen=True, slots=True)
class Setting:
    """What every process of a worker is given."""

    folder: Path
    plan: Plan
    place: Sweep
    secret: bytes
    pcap: Path | None = None
    """Where to keep every validated answer, if anybody asked for it."""

    def watch(self) -> Watch:
        """A watch over the register that the plan obeys; its filter is empty where the plan excludes all of it."""
        return Watch(register.of(self.plan.register, self.place.lake), Ranges.of(self.plan.ranges))
