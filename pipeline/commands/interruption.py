"""How a signal ends a command: the first one ends it in order, and those that come with it or soon after do not disturb that."""

import signal
import time
from dataclasses import dataclass
from types import FrameType

#: Seconds for which another signal is ignored: a worker finishes its conversations in flight, and writes what it has.
ORDERLY = 30.0


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
        """Raise KeyboardInterrupt, unless a command ends already."""
        now = time.monotonic()
        if now >= self.ends:
            self.ends = now + ORDERLY
            raise KeyboardInterrupt
