"""What a worker may send now: what the opt-out register allows, as long as its own interface works."""

from dataclasses import dataclass, field

from pipeline.space.ranges import Ranges

#: An outage that lasts this long, in seconds, makes void what was under way: it is as long as a peer's TCP waits before it sends a
#: lost SYN-ACK again (RFC 6298 §2.1), so until then hardly anything is lost.
CUT_OFF_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Permit:
    """What a worker may send: nothing while `pause_reason` is not empty; otherwise to all but `withheld` addresses, up to `rate`."""

    pause_reason: str
    withheld: Ranges
    rate: float = float("inf")
    """Probes a second."""
    quarantined: Ranges = field(default_factory=lambda: Ranges.of(()))
    """The part of `withheld` that is quarantined."""
    outage_seconds: float = 0.0
    """For how long our own interface has been unable to send; 0 if it can."""

    @property
    def cut_off(self) -> bool:
        """Our own outage has lasted so long that what was under way is void."""
        return self.outage_seconds >= CUT_OFF_SECONDS
