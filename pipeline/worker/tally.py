"""What a worker has counted since it began, how fast it sends, and what the register allows, as `census status` shows it."""

import threading
from collections import Counter, deque
from dataclasses import dataclass, field

from pipeline.record.receipt import Receipt, funnel_counts

#: Seconds over which the rate is measured.
RATE_SECONDS = 10.0
#: Seconds of sending before a rate is taken from them.
LEAST_SECONDS = 2.0


@dataclass(slots=True)
class Tally:
    """The latest counts of each process of a worker, and what the register allows it. Times are seconds of one clock."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    pause_reasons: dict[str, str] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    registers: dict[str, str] = field(default_factory=dict)
    """The SHA-256 of the register that each process obeys."""
    sent_at: float = 0.0
    """When a probe was last sent."""
    _settled: Counter[str] = field(default_factory=Counter)
    _probed: deque[tuple[float, int]] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def update(
        self, source: str, counts: dict[str, int], pause_reason: str, limit: int = 0, register: str = ""
    ) -> None:
        """Take the latest counts of a process, why the register pauses it (empty if it does not), and the rate it allows.

        `register` is the SHA-256 of the register that it has read; empty if it reads none.
        """
        self.counts[source] = counts
        self.pause_reasons[source] = pause_reason
        self.limits[source] = limit
        if register:
            self.registers[source] = register

    def settle(self, receipt: Receipt) -> None:
        """A range has its receipt: what that says is no longer this worker's to report."""
        self._settled.update(funnel_counts(receipt))

    def total(self) -> dict[str, int]:
        """Add up the counts of all processes."""
        return dict(sum((Counter(counts) for counts in self.counts.values()), Counter()))

    def unfinished(self) -> dict[str, int]:
        """Return the part of the total that no receipt has.

        A receipt also has what earlier attempts at its range counted. So this is never too much, and for a while too little.
        """
        return {name: max(0, count - self._settled[name]) for name, count in self.total().items()}

    def pause_reason(self) -> str:
        """Return why the register pauses some process; empty if it pauses none."""
        return next((reason for reason in self.pause_reasons.values() if reason), "")

    def limit(self) -> int:
        """Return the rate that the register allows, in probes a second; 0 if it sets no limit."""
        return min(filter(None, self.limits.values()), default=0)

    def report(self, now: float, clock: float) -> dict[str, object]:
        """Return what a progress file has of it; `now` in seconds since 1970, `clock` on the clock of the rates. For any thread."""
        with self._lock:
            self.measure(clock)
            return {
                "counts": self.total(),
                "unfinished": self.unfinished(),
                "rate": round(self.rate(), 1),
                "sending_rate": round(self.sending_rate(), 1),
                "sent_at": now - (clock - self.sent_at) if self.sent_at else 0.0,
                "limit": self.limit(),
                "held": self.pause_reason(),
                "registers": sorted(set(self.registers.values())),
            }

    def measure(self, now: float) -> None:
        """Take the number of probes at this time, for the rates; call it again and again."""
        probed = self.total().get("probed", 0)
        if probed > (self._probed[-1][1] if self._probed else 0):
            self.sent_at = now
        self._probed.append((now, probed))
        while self._probed[0][0] < now - RATE_SECONDS:
            self._probed.popleft()

    def rate(self) -> float:
        """Return the probes a second over the last RATE_SECONDS."""
        (begin, first), (end, last) = self._probed[0], self._probed[-1]
        return (last - first) / (end - begin) if end > begin else 0.0

    def sending_rate(self) -> float:
        """Return the probes a second over those of the last RATE_SECONDS in which any was sent; 0 if that was for a moment only."""
        steps = zip(self._probed, list(self._probed)[1:], strict=False)
        sent = [(end - begin, last - first) for (begin, first), (end, last) in steps if last > first]
        seconds = sum(elapsed for elapsed, _ in sent)
        return sum(probes for _, probes in sent) / seconds if seconds >= LEAST_SECONDS else 0.0
