"""One moment on two clocks. Pure: whoever looks at a clock makes one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds of a monotonic clock, and microseconds since the epoch."""

    now: float
    epoch_us: int

    @property
    def us(self) -> int:
        """Microseconds of the monotonic clock."""
        return int(self.now * 1e6)
