"""An outage: the interface of a sender is down, has no carrier, or takes no frame. The sender waits, says so, and gives up at last.

Nothing is sent meanwhile. After `permit.CUT_OFF_SECONDS` whatever was under way is void: answers were lost that nobody sends
again, and a conversation that we end says nothing about its host. Those ranges get no receipt, so they run again.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from pipeline.errors import CensusError
from pipeline.guard.link_state import LinkWatch
from pipeline.space.permit import Permit

#: How long an outage may last before the sender ends with an error, in seconds: longer than a switch or a router takes to restart.
GIVE_UP_SECONDS = 600.0


class Machine(NamedTuple):
    """What an engine asks of the machine that it runs on, again and again."""

    permit: Callable[[], Permit]
    """What may be sent now."""
    before_batch: Callable[[], object] = lambda: None
    """Called after that, before anything is sent."""
    count_sent: Callable[[int, int], None] = lambda sent, refused: None
    """Takes how many probes of a batch have left, and how many the interface has refused."""


class Outage:
    """Watches the interface of a sender; `permit` is what may be sent now."""

    def __init__(self, watch: LinkWatch, permit: Callable[[], Permit]) -> None:
        """`permit` is the register's, which may also pause for the next hop."""
        self._watch, self._register = watch, permit
        self.latest = permit()
        """The permit that was given last; whoever needs no newer one saves the system calls of another."""
        self._down_since: float | None = None
        self._refused_since: float | None = None
        self.reason = ""
        """Why nothing leaves now; empty if nothing is wrong."""
        self.cut_off_at = float("-inf")
        """When what was under way was last void, in seconds of the monotonic clock."""

    @property
    def down(self) -> bool:
        """The interface is down, or has no carrier."""
        return self._down_since is not None

    def permit(self) -> Permit:
        """The register's permit; a pause while the interface is down. Raises CensusError after GIVE_UP_SECONDS, or if it is gone."""
        now, trouble = time.monotonic(), self._watch.trouble()
        if not trouble:
            self._down_since = None
            if self._refused_since is None:
                self.reason = ""
            return self._noted(self._register(), now)
        self._down_since = self._down_since or now
        self.reason = f"{trouble}: waiting"
        lasted = self._require_patience(now, self._down_since, trouble)
        return self._noted(replace(self._register(), pause_reason=self.reason, outage_seconds=lasted), now)

    def _noted(self, permit: Permit, now: float) -> Permit:
        """The permit, after keeping it and noting whether it makes void what was under way."""
        self.latest = permit
        self.cut_off_at = now if permit.cut_off else self.cut_off_at
        return permit

    def count(self, sent: int, refused: int) -> None:
        """Take how many frames of a batch have left and how many the interface has refused. Raises CensusError as `permit`."""
        if sent or not refused:
            self._refused_since = None
            return
        now = time.monotonic()
        self._refused_since = self._refused_since or now
        trouble = f"interface {self._watch.name} takes no frames"
        self.reason = f"{trouble}: waiting"
        self._require_patience(now, self._refused_since, trouble)

    def _require_patience(self, now: float, since: float, trouble: str) -> float:
        """For how many seconds this lasts."""
        if now - since > GIVE_UP_SECONDS:
            raise CensusError(
                f"{trouble}, for {GIVE_UP_SECONDS / 60:.0f} minutes now; when it works again, run again with --resume"
            )
        return now - since
