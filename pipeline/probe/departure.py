"""The proof that a sender's first frames leave, by its interface's own counter: a driver may drop frames without a word.

The frames are the sweep's own probes, so nothing is sent that would not be sent anyway. No more than MOST are in doubt: then the
sender waits for the verdict, and goes on receiving. The frames have left if the counter rises with them or soon after, or all at once
later, as with drivers that ask their hardware now and then. A few that another program sends meanwhile do not count. A validated
answer is proof as well: some drivers count nothing.

Where the kernel counts what the driver takes, a driver that refuses every frame for as long is found out in the same way.
"""

import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.guard.link_state import FrameCounter
from pipeline.rings.transmit import ProbeRing
from pipeline.space.ranges import I64, U32
from pipeline.wire.cookie import Cookie, Secret

#: Frames that are enough for a verdict, and the most that are sent without one.
ENOUGH, MOST = 16, 256
#: Fewer are enough after this time, in seconds: a slow sweep sends few.
LEAST_SECONDS = 1.0
#: A driver that counts a frame when it sends it does so within this time, in seconds.
PROMPT_SECONDS = 0.05
#: Some ask their hardware every second or two; this is how long to wait for them, in seconds.
PATIENCE_SECONDS = 3.0


class Counter(Protocol):
    """Counts the frames that an interface sends."""

    name: str

    def sent(self) -> int:
        """The frames sent so far."""

    def close(self) -> None:
        """End the counting."""


class Departure:
    """Decides whether the first frames of a sender have left."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self.proven = False
        """They have left; nothing is watched any more."""
        self.lost = ""
        """Why they have not, empty if that is not known."""
        self._begin()

    @classmethod
    def by_counter(cls, interface: str) -> "Departure":
        """The proof by the counter of an interface of the vantage."""
        return cls(FrameCounter(interface))

    def _begin(self) -> None:
        self._sent = self.left = self._refused = 0
        self._first = self._last = 0.0
        self._seen = self._counter.sent()

    @property
    def decided(self) -> bool:
        """There is a verdict."""
        return self.proven or bool(self.lost)

    @property
    def room(self) -> int | None:
        """How many frames may be sent now; None if that is not limited."""
        return None if self.proven else 0 if self.lost else MOST - self._sent

    def count(self, frames: int, now: float) -> None:
        """Take how many frames the kernel has accepted."""
        if frames and not self.decided:
            self._first = self._first if self._sent else now
            self._last = now
            self._sent += frames

    def refuse(self, frames: int, now: float) -> None:
        """Take how many frames the driver has refused; if it has refused every one for PATIENCE_SECONDS, they are lost."""
        if not frames or self._sent or self.decided:
            return
        self._first = self._first if self._refused else now
        self._refused += frames
        if now - self._first >= PATIENCE_SECONDS:
            self.lost = f"the driver of {self._counter.name} has refused every frame for {PATIENCE_SECONDS:g} seconds"

    def check(self, now: float, *, answered: Callable[[], bool], interrupted: bool = False) -> None:
        """Look at the counter, before anything more is sent. If the link was interrupted, the proof begins again."""
        if self.decided:
            return
        if interrupted or not (self._sent or self._refused):
            self._begin()
        if not self._sent:
            return
        total = self._counter.sent()
        step, owed, self._seen = total - self._seen, self._sent - self.left, total
        if now - self._last <= PROMPT_SECONDS or 2 * step >= owed:
            self.left += min(step, owed)
        enough = self._sent >= ENOUGH or now - self._first >= LEAST_SECONDS
        if (enough and 2 * self.left >= self._sent) or answered():
            self.proven = True
        elif now - self._first >= PATIENCE_SECONDS and now - self._last > PROMPT_SECONDS:
            self.give_up()

    def give_up(self) -> None:
        """End the proof: unless half of the frames have left by now, they are lost."""
        if self._sent and 2 * self.left < self._sent and not self.decided:
            self.lost = f"the counter of {self._counter.name} shows {self.left} of its first {self._sent} frames"

    def overrule(self) -> None:
        """Go on as if the frames had left."""
        self.proven, self.lost = True, ""

    def close(self) -> None:
        """End the counting."""
        self._counter.close()


class WatchedRing:
    """A ring of probes whose first frames are watched (`ProbeRing`)."""

    def __init__(self, ring: ProbeRing, departure: Departure) -> None:
        self._ring, self._departure = ring, departure
        self.engine, self.bakes = ring.engine, ring.bakes

    @property
    def rejected(self) -> int:
        """How many frames the kernel or the interface has refused."""
        return self._ring.rejected

    @property
    def taken(self) -> int | None:
        """How many frames the driver has taken, as the kernel counts them; None where it does not."""
        return self._ring.taken

    @property
    def tags(self) -> U32:
        """The tags of the probes that were sent last."""
        return self._ring.tags

    def room(self, wanted: int) -> int:
        """How many of the wanted probes may be sent now."""
        room = self._departure.room
        return self._ring.room(wanted if room is None else min(wanted, room))

    def change_template(self, template: bytes) -> None:
        """Make all further probes of this template."""
        self._ring.change_template(template)

    def fill(self, addresses: U32, ports: NDArray[np.uint16], secret: Secret, cookie: Cookie | None) -> None:
        """Take the next probes."""
        self._ring.fill(addresses, ports, secret, cookie)

    def send(self, count: int) -> I64:
        """Send the probes filled; which have not left, as far as the kernel says. Raises CensusError."""
        refused = self._ring.send(count)
        if not self._departure.proven:
            now = time.monotonic()
            self._departure.count(count - len(refused), now)
            self._departure.refuse(len(refused) if self.taken is not None else 0, now)
        return refused
