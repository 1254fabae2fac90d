"""The token bucket that paces probes. Pure: the clock is passed in, in seconds of a monotonic clock."""

from dataclasses import dataclass, field

#: A batch never holds more than this much budget, and the bucket no more either: so never over twice the rate in 10 ms.
BURST_SECONDS = 0.010
#: How late a sleeper may wake without losing budget at rates of few probes a second.
LATE_SECONDS = 0.002


@dataclass
class Pacer:
    """Grants probes at `rate` a second. After a stall it goes on at that rate: what was missed is lost and counted."""

    rate: float
    last: float
    tokens: float = 0.0
    stalls: int = 0
    ceiling: float = field(init=False)
    """The rate that it began with, which no limit exceeds."""

    def __post_init__(self) -> None:
        self.ceiling = self.rate

    def limit(self, rate: float) -> None:
        """Grant at most this many a second from now on, and never more than the rate that it began with."""
        self.rate = min(rate, self.ceiling)

    def grant(self, now: float, wanted: int) -> int:
        """How many probes may go at `now`, at most `wanted`."""
        elapsed = now - self.last
        self.last = now
        if elapsed > self.longest:
            self.stalls += 1
            elapsed = self.longest
        self.tokens = min(self.tokens + elapsed * self.rate, self._capacity())
        granted = min(int(self.tokens + 1e-9), wanted)
        self.tokens -= granted
        return granted

    def resume(self, now: float) -> None:
        """Start again after a time in which nothing was to be sent. It does not count as a stall, and earns no budget."""
        self.last = now

    @property
    def longest(self) -> float:
        """The longest time without a grant that is not a stall, in seconds."""
        return max(BURST_SECONDS, 2 / self.rate)

    def _capacity(self) -> float:
        """The bucket's size: a burst, or one probe and what a late wake-up earns."""
        return max(1.0 + self.rate * LATE_SECONDS, self.rate * BURST_SECONDS)

    def wait(self) -> float:
        """Seconds until half a burst is there (or one probe, if that is more)."""
        target = max(1.0, self.rate * BURST_SECONDS / 2)
        return max(0.0, (target - self.tokens) / self.rate)


@dataclass(slots=True)
class Pause:
    """The time in which the opt-out register pauses a sender that has something to send."""

    pacer: Pacer
    _since: float | None = None

    def elapsed(self, now: float, *, paused: bool) -> float:
        """Seconds of a pause that have passed since the last call. After them the pacer resumes: no burst, no stall."""
        seconds = 0.0
        if self._since is not None:
            seconds = now - self._since
            self.pacer.resume(now)
        self._since = now if paused else None
        return seconds
