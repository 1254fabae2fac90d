"""What every process of a worker is given."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.lake.store import Sweep
from pipeline.space.plan import Plan

PROGRESS_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Setting:
    """What every process of a worker is given."""

    folder: Path
    plan: Plan
    place: Sweep
    secret: bytes
