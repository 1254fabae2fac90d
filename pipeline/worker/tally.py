"""What a worker has counted since it began, as `census status` shows it."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """The latest counts of each process of a worker, and why the register pauses it."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    pause_reasons: dict[str, str] = field(default_factory=dict)

    def update(self, source: str, counts: dict[str, int], pause_reason: str) -> None:
        """Take the latest counts of a process, and why the register pauses it (empty if it does not)."""
        self.counts[source] = counts
        self.pause_reasons[source] = pause_reason

    def total(self) -> dict[str, int]:
        """Add up the counts of all processes."""
        return dict(sum((Counter(counts) for counts in self.counts.values()), Counter()))

    def pause_reason(self) -> str:
        """Return why the register pauses some process; empty if it pauses none."""
        return next((reason for reason in self.pause_reasons.values() if reason), "")
