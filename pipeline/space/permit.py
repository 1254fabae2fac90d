"""What a worker may do now, as the opt-out register says."""

from dataclasses import dataclass, field

from pipeline.space.ranges import Ranges


@dataclass(frozen=True, slots=True)
class Permit:
    """What a worker may do now: nothing, for the reason that `held` gives; or all but what is `withheld`, at most at `rate`."""

    held: str
    withheld: Ranges
    rate: float = float("inf")
    """Probes a second."""
    quarantined: Ranges = field(default_factory=lambda: Ranges.of(()))
    """The part of `withheld` that is quarantined."""
