"""How a signal ends a command: in order, and those that come together count once."""

import signal
import time
from dataclasses import dataclass
from types import FrameType

#: Seconds in which signals are one: by then, a sweep has begun to end in order and ignores them (`worker.shards`).
TOGETHER = 1.0


@dataclass(slots=True)
class Interruption:
    """The handler of SIGINT and SIGTERM. `timeout` and service managers may send one to a command and to its group."""

    ends: float = float("-inf")
    """When a signal counts again, by the monotonic clock."""

    @property
    def happened(self) -> bool:
        """Whether a signal came."""
        return self.ends > float("-inf")

    def install(self) -> None:
        """Handle both signals."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.handle)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt, unless another signal has just done so."""
        now = time.monotonic()
        if now >= self.ends:
            self.ends = now + TOGETHER
            raise KeyboardInterrupt
