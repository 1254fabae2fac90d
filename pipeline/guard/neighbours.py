"""The hardware address of a next hop, as the kernel's neighbour table has it (ARP, RFC 826), and a watch over it.

The kernel asks, never this program: it is told that the neighbour is in use, as every packet of an ordinary socket tells it
(NTF_USE), or to confirm an address that it has (NUD_PROBE).
"""

import threading
import time
from dataclasses import dataclass
from typing import Any

from pipeline.errors import CensusError
from pipeline.guard import sockets
from pipeline.guard.routes import index_of, netlink

#: Neighbour states and flags (linux/neighbour.h).
INCOMPLETE, REACHABLE, STALE, DELAY, PROBE, FAILED, NOARP, PERMANENT = (1 << bit for bit in range(8))
NTF_USE = 1
#: States whose address the kernel itself would use, and those in which it is certain of it.
USABLE = REACHABLE | STALE | DELAY | PROBE | NOARP | PERMANENT
CERTAIN = REACHABLE | NOARP | PERMANENT
#: States that never age: the kernel asks nobody.
SETTLED = NOARP | PERMANENT
TICKS = 100.0  # of a second, in ndm_confirmed (USER_HZ)
#: How long a neighbour may take to answer, in seconds: the kernel asks three times, a second apart (arp(7), mcast_solicit).
ANSWER_SECONDS = 4.0
#: Seconds between two looks at a neighbour: while one is looked for, and while all is well.
QUICK_SECONDS, LOOK_SECONDS = 0.02, 0.25
#: An address is confirmed after so many seconds; one that is not known for GRACE_SECONDS is a fault.
CONFIRM_SECONDS, GRACE_SECONDS = 5.0, 0.5
#: Where the kernel may not be told to ask, packets are let go on trial so often, in seconds: they make it ask.
TRIAL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What the kernel knows of a neighbour: its state, its hardware address if that may be used, and how old that is in seconds.

    An address that an administrator has set is always new.
    """

    state: int
    mac: str
    age: float

    @property
    def certain(self) -> bool:
        """Whether nothing needs to be asked."""
        return bool(self.state & CERTAIN)


def neighbour(opened: Any, interface: str, address: str) -> Neighbour:
    """Return what the kernel knows of a neighbour. Nothing is sent."""
    from pyroute2.netlink.exceptions import NetlinkError  # type: ignore[import-untyped]

    try:
        (row,) = opened.neigh("get", ifindex=index_of(interface), dst=address)
    except NetlinkError:
        return Neighbour(0, "", 0.0)
    times = row.get_attr("NDA_CACHEINFO") or {}
    mac = row.get_attr("NDA_LLADDR") if row["state"] & USABLE else ""
    age = 0.0 if row["state"] & SETTLED else times.get("ndm_confirmed", 0) / TICKS
    return Neighbour(row["state"], mac or "", age)


def provoke(opened: Any, interface: str, address: str, known: Neighbour) -> None:
    """Have the kernel ask for a neighbour's address, unless it is asking already. Raises GuardError, CensusError."""
    from pyroute2.netlink.exceptions import NetlinkError

    if known.state & (INCOMPLETE | PROBE | SETTLED):
        return
    sockets.refuse_outside(f"an ARP request for {address} on {interface}")
    how = {"state": PROBE} if known.mac else {"flags": NTF_USE}
    try:
        opened.neigh("replace", ifindex=index_of(interface), dst=address, **how)
    except NetlinkError as error:
        raise CensusError(
            f"the kernel does not look up the hardware address of {address} on {interface}: {error}; it needs CAP_NET_ADMIN: "
            "run as root, or set [probe] gateway_mac"
        ) from None


def resolve(interface: str, address: str, patience: float = ANSWER_SECONDS) -> str:
    """Return a neighbour's hardware address, after asking where the kernel is not certain; empty if it does not answer."""
    until = time.monotonic() + patience
    with netlink() as opened:
        known = neighbour(opened, interface, address)
        while not known.certain and time.monotonic() < until:
            provoke(opened, interface, address, known)
            time.sleep(QUICK_SECONDS)
            known = neighbour(opened, interface, address)
    return known.mac


class NeighbourWatch:
    """Keeps a next hop's hardware address up to date in a thread of its own. Use it as a context manager.

    `mac` is the address to send to now, and `fault` why nothing can be sent; empty if it can.
    """

    def __init__(self, interface: str, address: str, mac: str, *, kernels: bool = False) -> None:
        """Where the packets are the kernel's own, it asks without being told to, though late: no privilege is needed."""
        self._interface, self._address, self._kernels = interface, address, kernels
        self._permitted = True
        self._ended, self._lock = threading.Event(), threading.Lock()
        self._lost_at: float | None = None
        self._trial_at = float("-inf")
        self._thread: threading.Thread | None = None
        self.mac, self.fault = mac, ""
        self.good_at = time.monotonic()
        """When the kernel last confirmed the address, in seconds of the monotonic clock."""

    @property
    def lost_seconds(self) -> float:
        """For how long the address has been unknown; 0 if it is known."""
        lost_at = self._lost_at
        return 0.0 if lost_at is None else time.monotonic() - lost_at

    @property
    def good_until(self) -> float:
        """Until when it has been good for certain, of the monotonic clock; infinite where it is not confirmed again and again."""
        return self.good_at if self._thread and self._address and self._permitted else float("inf")

    def follow(self, address: str) -> None:
        """Watch another next hop from now on; none if it is empty. Until the kernel knows it, that is a fault."""
        if self._thread is None:
            return
        with self._lock:
            self._address, self._lost_at = address, time.monotonic()
            self.fault = self._silence if address else ""

    @property
    def _silence(self) -> str:
        return f"the next hop {self._address} on {self._interface} does not answer (ARP)"

    def __enter__(self) -> "NeighbourWatch":
        self._thread = threading.Thread(target=sockets.at_vantage, args=(self._watch,), name="census-next-hop")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread:
            self._thread.join()

    def _watch(self) -> None:
        with netlink() as opened:
            while not self._ended.wait(LOOK_SECONDS if self._lost_at is None else QUICK_SECONDS):
                try:
                    with self._lock:
                        self._look(opened)
                except (CensusError, OSError) as error:
                    self.fault = str(error)

    def _look(self, opened: Any) -> None:
        if not self._address:
            self._lost_at = None
            return
        known, now = neighbour(opened, self._interface, self._address), time.monotonic()
        unused = self._kernels and not known.state & (INCOMPLETE | FAILED)
        if known.mac or unused:
            self.mac, self.fault, self._lost_at = known.mac, "", None
            self.good_at = now - known.age
        else:
            self._lost_at = now if self._lost_at is None else self._lost_at
            on_trial = now - self._trial_at < GRACE_SECONDS
            lasts = bool(self.fault) or now - self._lost_at >= GRACE_SECONDS
            self.fault = self._silence if lasts and not on_trial else ""
        if self._permitted and (not known.certain or known.age > CONFIRM_SECONDS):
            self._provoke(opened, known)
        if not self._permitted and self._lost_at is not None and now - self._trial_at > TRIAL_SECONDS:
            self._trial_at = now

    def _provoke(self, opened: Any, known: Neighbour) -> None:
        try:
            provoke(opened, self._interface, self._address, known)
        except CensusError:
            if not self._kernels:
                raise
            self._permitted = False
