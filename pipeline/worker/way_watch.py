"""A watch over the way that a sender's packets leave by: source, route, MTU, next hop. While it is not what it was, nothing is sent.

The kernel announces every change of links, addresses, routes and rules. Then the way is looked up again, as at the beginning.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from pipeline.errors import CensusError, InputError
from pipeline.guard.neighbours import NeighbourWatch
from pipeline.guard.notices import Notices
from pipeline.plan.plan import Plan
from pipeline.probe.outage import GIVE_UP_SECONDS
from pipeline.space.permit import CUT_OFF_SECONDS, Permit
from pipeline.transport import messages
from pipeline.worker import egress
from pipeline.worker.egress import ProbeSource

#: Groups of NETLINK_ROUTE (linux/rtnetlink.h): links, which have an MTU; addresses, routes and rules of IPv4.
GROUPS = 0x1 | 0x10 | 0x40 | 0x80
#: At most so often the way is looked up after changes, and at least so often while it is gone, in seconds.
QUICK_SECONDS, AGAIN_SECONDS = 0.25, 1.0


class WayWatch:
    """Watches one way. `permit` is what the register allows while the way is there, and a pause while it is not."""

    def __init__(self, plan: Plan, at: ProbeSource, hop: NeighbourWatch, register: Callable[[], Permit]) -> None:
        """`at` is where packets of the plan leave now, `hop` the watch over its next hop, `register` what the register allows."""
        self._plan, self._hop, self._register = plan, hop, register
        self.at = at
        """Where packets leave, as far as that is followed."""
        self._changes = Notices(socket.NETLINK_ROUTE, GROUPS)
        self._changed, self._looked = False, 0.0
        self._gone_at: float | None = None
        self._void_at: float | None = None  # since when permits have been saying that what was under way is void
        self._doubted = False
        self.fault = ""
        """Why the route is not what it was; empty if it is."""

    def permit(self) -> Permit:
        """What may be sent now. Raises CensusError when the way has been gone for GIVE_UP_SECONDS."""
        given, now = self._register(), time.monotonic()
        self._look(now)
        fault = self.fault or self._hop.fault
        if not fault:
            return given
        lasted = self._hop.lost_seconds if self._gone_at is None else now - self._gone_at
        if lasted >= CUT_OFF_SECONDS and self._void_at is None:
            self._void_at = now
        if lasted > GIVE_UP_SECONDS:
            raise CensusError(
                f"{fault}, for {lasted / 60:.0f} minutes now; when that is mended, run again with --resume"
            )
        return replace(given, pause_reason=given.pause_reason or f"{fault}: waiting", outage_seconds=lasted)

    def doubt(self) -> messages.Doubt | None:
        """Return once for each failure of the next hop since when nothing is certain: its last confirmation."""
        if not self._hop.lost_seconds:
            self._doubted = False
        if self._doubted or not self._hop.fault:
            return None
        self._doubted = True
        since = time.time_ns() // 1000 - int(1e6 * (time.monotonic() - self._hop.good_at))
        return messages.Doubt(shard=0, number=0, since=since, reason=self._hop.fault)

    def close(self) -> None:
        """Stop to watch."""
        self._changes.close()

    def _look(self, now: float) -> None:
        """Look the way up again, if anything has changed or it is gone."""
        self._changed |= self._changes.any()
        patience = QUICK_SECONDS if self._changed else AGAIN_SECONDS
        if not (self._changed or self.fault) or now - self._looked < patience:
            return
        self._changed, self._looked = False, now
        way = None
        try:
            way = egress.still(self._plan, self.at)
            self.fault = _difference(self.at, way)
        except CensusError as error:
            self.fault = (error.reason if isinstance(error, InputError) else str(error)).partition(";")[0]
        self._gone_at = (self._gone_at or now) if self.fault else None
        self._void_at = self._void_at if self.fault else None
        if way and self._void_at is not None and now - self._void_at >= QUICK_SECONDS:
            self._follow(way)

    def _follow(self, way: ProbeSource) -> None:
        """Take the new next hop, MTU or hardware address of a way, if interface and source are what they were.

        By then whoever asks for permits knows that what was under way is void.
        """
        if (way.interface, way.source) == (self.at.interface, self.at.source):
            if way.gateway != self.at.gateway:
                self._hop.follow(way.gateway)
            self.at, self.fault, self._gone_at, self._void_at = way, "", None, None


def _difference(began: ProbeSource, now: ProbeSource) -> str:
    """What is different of a way; empty if nothing is that matters."""
    if (began.interface, began.source, began.hops) != (now.interface, now.source, now.hops):
        return f"packets would leave {_spoken(now)}, no longer {_spoken(began)}"
    if began.mac != now.mac:
        return f"{now.interface} has the hardware address {now.mac.hex(':')}, no longer {began.mac.hex(':')}"
    return f"packets may have {now.mtu:,} bytes, no longer {began.mtu:,}" if now.mtu < began.mtu else ""


def _spoken(at: ProbeSource) -> str:
    by = " and ".join(
        f"by {gateway} on {interface}" if gateway else f"on {interface}" for interface, gateway in at.hops
    )
    return f"from {at.source} {by}"


@contextmanager
def watched(plan: Plan, at: ProbeSource, register: Callable[[], Permit]) -> Iterator[tuple[WayWatch, NeighbourWatch]]:
    """Resolve the next hop of a way and watch both during the block. Raises CensusError if the hop does not answer."""
    with egress.next_hop(plan, at) as hop:
        watch = WayWatch(plan, at, hop, register)
        try:
            yield watch, hop
        finally:
            watch.close()
