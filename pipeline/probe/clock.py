"""One moment on two clocks."""

import time
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


def now() -> Clock:
    """This moment."""
    return Clock(time.monotonic(), time.time_ns() // 1000)
