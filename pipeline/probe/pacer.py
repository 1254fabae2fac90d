"""The token bucket that paces probes. Pure: the clock is passed in, in seconds of a monotonic clock.

A bucket that holds a burst of 10 ms never grants over twice the rate in any 10 ms. A sender that fills it for half of that time wakes
200 times a second, which costs more than the probes at a slow rate. So at SLOW_RATE and below the bucket holds 40 ms, and the sender
sleeps nearly twice 10 ms, or less while it has something to make up for. What holds the limit then is the sum of the grants of the
last 10 ms.
"""

from collections import deque
from dataclasses import dataclass, field

#: No time of this length has more than twice the rate, in seconds.
BURST_SECONDS = 0.010
#: How late a sleeper may wake without losing budget at rates of few probes a second.
LATE_SECONDS = 0.002
#: Up to this rate bursts are further apart.
SLOW_RATE = 2_000
#: The time between two bursts, in seconds, at a slow rate and at others.
SLOW_GAP_SECONDS, GAP_SECONDS = 0.019, 0.005
#: How long the bucket takes to fill, in seconds, at a slow rate and at others: a sender may wake late by the rest.
SLOW_FULL_SECONDS, FULL_SECONDS = 4 * BURST_SECONDS, BURST_SECONDS
#: At a slow rate there are no more grants than this in BURST_SECONDS: a sender that wakes needs some four.
MOST_RECENT = 16
#: What sums of floating-point numbers may be off.
ROUNDING = 1e-9
#: When what was granted no longer counts as recent, in seconds.
NO_LONGER_RECENT_SECONDS = BURST_SECONDS + 1e-6


@dataclass
class Pacer:
    """Grants probes at `rate` a second. After a stall it goes on at that rate: what was missed is lost and counted."""

    rate: float
    last: float
    tokens: float = 0.0
    stalls: int = 0
    ceiling: float = field(init=False)
    """The rate that it began with, which no limit exceeds."""
    recent: deque[tuple[float, int]] = field(init=False)
    """When the last grants at a slow rate were made, and of how many probes, MOST_RECENT of them at most."""

    def __post_init__(self) -> None:
        self.ceiling = self.rate
        self.recent = deque(maxlen=MOST_RECENT)

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
        granted = min(int(min(self.tokens, self._room(now)) + ROUNDING), wanted)
        self.tokens -= granted
        if granted and self.slow:
            self.recent.append((now, granted))
        return granted

    def resume(self, now: float) -> None:
        """Start again after a time in which nothing was to be sent. It does not count as a stall, and earns no budget."""
        self.last = now

    @property
    def slow(self) -> bool:
        """The rate is slow."""
        return self.rate <= SLOW_RATE

    @property
    def gap(self) -> float:
        """The time from the last burst to the next one, in seconds."""
        if not self.slow:
            return GAP_SECONDS
        return min(max(self._earned_in(), NO_LONGER_RECENT_SECONDS), SLOW_GAP_SECONDS)

    @property
    def longest(self) -> float:
        """The longest time without a grant that is not a stall, in seconds."""
        return max(self._full_seconds, 2 / self.rate)

    @property
    def _full_seconds(self) -> float:
        """How long the bucket takes to fill, in seconds."""
        return SLOW_FULL_SECONDS if self.slow else FULL_SECONDS

    @property
    def most(self) -> int:
        """More are never granted at once."""
        return int(self._capacity()) + 1

    def _capacity(self) -> float:
        """The bucket's size: what it holds, or one probe and what a late wake-up earns."""
        return max(1.0 + self.rate * LATE_SECONDS, self.rate * self._full_seconds)

    def _room(self, now: float) -> float:
        """How many more may go in the BURST_SECONDS that end now."""
        if not self.slow:
            return self._capacity()
        if len(self.recent) == MOST_RECENT and now - self.recent[0][0] <= BURST_SECONDS + ROUNDING:
            return 0.0
        granted = sum(count for at, count in self.recent if now - at <= BURST_SECONDS + ROUNDING)
        return max(0.0, 2 * max(1.0, self.rate * BURST_SECONDS) - granted)

    def wait(self) -> float:
        """Seconds until a burst is there, and may go."""
        return max(self._earned_in(), 0.0 if self._room(self.last) >= 1 else NO_LONGER_RECENT_SECONDS)

    def _earned_in(self) -> float:
        """Seconds until a burst is there, or one probe, if that is more; negative if it has long been there."""
        burst = max(1.0, self.rate * (SLOW_GAP_SECONDS if self.slow else GAP_SECONDS))
        return (burst - self.tokens) / self.rate


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
