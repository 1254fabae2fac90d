"""What a packet engine sends its probes by: one ring, one budget, and a memory of the probes that the interface has refused."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

from pipeline.probe import clock
from pipeline.probe.pacer import Pacer
from pipeline.probe.probes import Probes
from pipeline.probe.range_state import OpenRange
from pipeline.rings.transmit import NONE_REFUSED, ProbeRing
from pipeline.space.ranges import I64, Ranges

#: The most probes that are sent at once.
BATCH = 8192


class Refused(NamedTuple):
    """Probes that the interface has refused; of the plan's own also the open range and their positions in it."""

    probes: Probes
    serial: int = 0
    position: I64 = NONE_REFUSED


class ProbeOutlet:
    """Sends probes through a ring, as far as a budget grants them. What is refused is kept, and may be sent again."""

    def __init__(self, ring: ProbeRing, pacer: Pacer, count_sent: Callable[[int, int], None]) -> None:
        """`count_sent` takes how many probes of a batch have left, and how many the interface has refused."""
        self.ring, self.pacer, self._count_sent = ring, pacer, count_sent
        self._again: deque[Refused] = deque()

    @property
    def has_refused(self) -> bool:
        """Some probes wait to be sent again."""
        return bool(self._again)

    def grant(self, now: float, wanted: int) -> int:
        """How many of the wanted probes may go now."""
        return self.pacer.grant(now, self.ring.room(min(wanted, BATCH, self.pacer.most)))

    def send(self, probes: Probes, serial: int = 0, position: I64 = NONE_REFUSED) -> None:
        """Send probes that were granted; the plan's own to targets at these positions of an open range."""
        if not len(probes):
            return
        self.ring.fill(probes.addresses, probes.ports, probes.secret, probes.cookie)
        refused = self.ring.send(len(probes))
        self._count_sent(len(probes) - len(refused), len(refused))
        if len(refused):
            self._again.append(Refused(probes.take(refused), serial, position[refused] if serial else NONE_REFUSED))

    def send_again(self, open_: Mapping[int, OpenRange], withheld: Ranges) -> None:
        """Send what was refused, from the same budget; once each time, so that it may be refused again."""
        for _ in range(len(self._again)):
            refused = self._again.popleft()
            granted = self.grant(time.monotonic(), len(refused.probes))
            if granted < len(refused.probes):
                later = slice(granted, None)
                self._again.appendleft(Refused(refused.probes.take(later), refused.serial, refused.position[later]))
            probes, which = refused.probes.take(slice(granted)).without(withheld)
            position = refused.position[which] if len(refused.position) else NONE_REFUSED
            self.send(probes, refused.serial, position)
            opened = open_.get(refused.serial)
            if opened is not None:
                opened.mark_sent_again(position, clock.now())
            if granted < len(refused.probes):
                return

    def drop_refused(self, open_: Mapping[int, OpenRange]) -> None:
        """Give up what was refused: the ranges that it belongs to are incomplete."""
        for refused in self._again:
            if refused.serial in open_:
                open_[refused.serial].ungreeted += len(refused.probes)
        self._again.clear()
