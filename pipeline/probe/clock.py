"""One moment on two clocks, and what the kernel's time stamps are on the monotonic one."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Microseconds of the monotonic clock are kept modulo this: they come round in 71 minutes.
MODULUS = 2**32
#: A time stamp that is older than this, in seconds, or in the future is from before the system's clock was set.
OLDEST_SECONDS = 1.0


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


def taken_us(seen_at: NDArray[np.float64], read: Clock) -> NDArray[np.uint32]:
    """When the kernel took packets that were `read` together, in microseconds of the monotonic clock modulo 2^32; shape (n,).

    `seen_at` is in seconds since the epoch. Where the system's clock was set meanwhile, it is wrong by OLDEST_SECONDS at most.
    """
    ago = np.clip(read.epoch_us - seen_at * 1e6, 0.0, OLDEST_SECONDS * 1e6)
    return ((read.us - ago.astype(np.int64)) % MODULUS).astype(np.uint32)
