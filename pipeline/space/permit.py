"""What a worker may send now, according to the opt-out register."""

from dataclasses import dataclass, field

from pipeline.space.ranges import Ranges


@dataclass(frozen=True, slots=True)
class Permit:
    """What a worker may send: nothing while `pause_reason` is not empty; otherwise to all but `withheld` addresses, up to `rate`."""

    pause_reason: str
    withheld: Ranges
    rate: float = float("inf")
    """Probes a second."""
    quarantined: Ranges = field(default_factory=lambda: Ranges.of(()))
    """The part of `withheld` that is quarantined."""
