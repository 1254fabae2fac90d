"""The token bucket that paces probes. Pure: the clock is passed in."""

from dataclasses import dataclass, field

#: A batch never holds more than this much budget, and the bucket no more either: so never over twice the rate in 10 ms.
BURST_SECONDS = 0.010
#: How late a sleeper may wake without losing budget at rates of few probes a second.
LATE_SECONDS = 0.002


@dataclass
class Pacer:
    """Grants probes at `rate` a second. After a stall it goes on at the rate: what was missed is lost and counted."""

    rate: float
    last: float
    tokens: float = 0.0
    stalls: int = 0
    own: float = field(init=False)
    """The rate that it began with, which no limit exceeds."""

    def __post_init__(self) -> None:
        self.own = self.rate

    def limit(self, rate: float) -> None:
        """Grant no more than this, from now on; nor ever more than the rate that it began with."""
        self.rate = min(rate, self.own)

    def grant(self, now: float, wanted: int) -> int:
        """How many probes may go at `now` (seconds of a monotonic clock), at most `wanted`."""
        elapsed = now - self.last
        self.last = now
        if elapsed > self.longest:
            self.stalls += 1
            elapsed = self.longest
        self.tokens = min(self.tokens + elapsed * self.rate, self._most())
        granted = min(int(self.tokens + 1e-9), wanted)
        self.tokens -= granted
        return granted

    def resume(self, now: float) -> None:
        """Begin anew after a time in which nothing was to be sent: that is no stall, and earns no budget."""
        self.last = now

    @property
    def longest(self) -> float:
        """The longest time without a grant that is no stall, in seconds."""
        return max(BURST_SECONDS, 2 / self.rate)

    def _most(self) -> float:
        """The bucket's size: a burst, or one probe and what a late wake-up earns."""
        return max(1.0 + self.rate * LATE_SECONDS, self.rate * BURST_SECONDS)

    def wait(self) -> float:
        """Seconds until half a burst is there (or one probe, where that is more)."""
        target = max(1.0, self.rate * BURST_SECONDS / 2)
        return max(0.0, (target - self.tokens) / self.rate)
