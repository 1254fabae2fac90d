"""Whether the loop that conversations run on has turned in time. If not, peers had less time to answer than our deadlines give.

A machine with too little processor time for what it does, or one that stood still, finds deadlines passed that it never waited for.
Nothing is lost that has come meanwhile: it is read before deadlines are. But what we should have sent left late.
"""

from dataclasses import dataclass

#: How much later than it should a loop may turn, in seconds: a third of the time that a peer has for an answer.
LATE_SECONDS = 1.0


@dataclass(slots=True)
class LoopLag:
    """When a loop was last late. It calls `turn` once each time round; times are seconds of the monotonic clock."""

    turned: float = float("inf")
    late_at: float = float("-inf")

    def turn(self, now: float, *, waited: float = 0.0) -> None:
        """The loop turns; it meant to wait so long since it last did."""
        if now - self.turned > waited + LATE_SECONDS:
            self.late_at = now
        self.turned = now

    def was_late(self, began: float, now: float) -> bool:
        """Return whether the loop was late since a conversation began."""
        return self.late_at > began or now - max(self.turned, began) > LATE_SECONDS
