"""Facts about network namespaces and links, as the kernel tells them. Nothing here sends a packet.

A veth pair is only half visible from either end: the kernel names the other end's namespace by a number that is local to
this one (`link_netnsid`). It is turned into an inode, which is the same seen from everywhere, by asking the kernel which
number it gave to each namespace that some process lives in (RTM_GETNSID). What cannot be proved is None.
"""

import ctypes
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pipeline import host
from pipeline.errors import CensusError
from pipeline.guard import rtnetlink, tun_devices
from pipeline.guard.rtnetlink import Netlink, NetlinkError, Row, Topic, packed

CLONE_NEWNET = 0x40000000  # linux/sched.h
IFF_UP, IFF_LOOPBACK = 0x1, 0x8  # linux/if.h
NETNSA_NSID, NETNSA_PID = 1, 2  # linux/net_namespace.h
NO_NSID = 0xFFFFFFFF  # NETNSA_NSID_NOT_ASSIGNED
#: Attributes of links (linux/if_link.h), of what a link is, and of a tun device.
IFLA_ADDRESS, IFLA_IFNAME, IFLA_LINK, IFLA_LINKINFO, IFLA_CARRIER, IFLA_LINK_NETNSID = 1, 3, 5, 18, 33, 37
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
IFLA_TUN_MULTI_QUEUE = 7
ARPHRD_LOOPBACK = "loopback"
#: Kinds of links that are on top of another link, whose index IFLA_LINK gives.
UPPER = frozenset({"macvlan", "vlan"})
FORWARDING_SWITCHES = ("ipv4/conf/*/forwarding", "ipv6/conf/*/forwarding")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface. `kind` is the kernel's (veth, dummy, …), `loopback`, or empty for a physical device.

    The peer of a veth is its other end, that of a link on top of another (`UPPER`) the link below.
    """

    name: str
    kind: str
    index: int
    peer_index: int | None
    peer_namespace: int | None
    mac: str
    up: bool
    readers: frozenset[int] = frozenset()
    """Namespaces of the processes that read what a tun device sends; 0 for one whose namespace is not known."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A network namespace: its inode, all its links, and whether any interface of it forwards packets."""

    inode: int
    links: tuple[Interface, ...]
    forwarding: bool


def facts(place: int | Path | None = None) -> Namespace:
    """Return the facts of the current namespace, of a process's (pid), or of a namespace file."""
    return inside(place, _look)


def inode(place: int | Path | None = None) -> int:
    """Return a namespace's inode number."""
    return _path(place).stat().st_ino


def inside(place: int | Path | None, work: Callable[[], T]) -> T:
    """Run `work` in a thread of its own, in that namespace; sockets it makes stay there, this thread does not move."""

    def run() -> T:
        if place is not None:
            _enter(_path(place))
        return work()

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="namespace") as thread:
        return thread.submit(run).result()


def in_new(work: Callable[[], T]) -> T:
    """Run `work` in a thread of its own, in a new network namespace; it ends with the last of what was opened there."""

    def run() -> T:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return work()

    return inside(None, run)


def _path(place: int | Path | None) -> Path:
    if place is None:
        return Path("/proc/thread-self/ns/net")
    return Path(f"/proc/{place}/ns/net") if isinstance(place, int) else place


def _enter(path: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(descriptor, CLONE_NEWNET) != 0:
            reason = os.strerror(ctypes.get_errno())
            raise CensusError(f"cannot enter the network namespace {path}: {reason}")
    finally:
        os.close(descriptor)


def _look() -> Namespace:
    own = inode()
    with rtnetlink.opened() as netlink:
        rows = netlink.rows(Topic.LINK, (0, 0, 0, 0, 0))
        seen = any(IFLA_LINK_NETNSID in row.attributes for row in rows)
        inodes = dict(_numbered(netlink)) if seen else {}
    return Namespace(own, tuple(_link(row, own, inodes) for row in rows), _forwards())


def _numbered(netlink: Netlink) -> Iterator[tuple[int, int]]:
    """Yield (number, inode) of each namespace that some process lives in and that this one has a number for."""
    for namespace, pids in _inhabited().items():
        numbers = (_number(netlink, pid, namespace) for pid in pids)
        number = next((number for number in numbers if number is not None), NO_NSID)
        if number != NO_NSID:
            yield number, namespace


def _number(netlink: Netlink, pid: int, namespace: int) -> int | None:
    """Return the number of a process's namespace here, or None if the process has ended meanwhile."""
    try:
        number = netlink.get(Topic.NAMESPACE, (0,), {NETNSA_PID: packed(pid)}).number(NETNSA_NSID)
    except NetlinkError:
        return None
    return number if _inode_or_none(pid) == namespace else None


def _inhabited() -> dict[int, list[int]]:
    """Return the processes of each network namespace that we may look at, by inode, the lowest pid first."""
    inhabitants: dict[int, list[int]] = {}
    for pid in sorted(host.pids()):
        if (namespace := _inode_or_none(pid)) is not None:
            inhabitants.setdefault(namespace, []).append(pid)
    return inhabitants


def _inode_or_none(pid: int) -> int | None:
    try:
        return inode(pid)
    except OSError:
        return None


def _link(row: Row, own: int, inodes: dict[int, int]) -> Interface:
    _, _, index, flags, _ = row.header
    described = row.nested(IFLA_LINKINFO)
    kind = ARPHRD_LOOPBACK if flags & IFF_LOOPBACK else described.text(IFLA_INFO_KIND)
    number, peer = row.number(IFLA_LINK_NETNSID), row.number(IFLA_LINK)
    peer = peer if kind == "veth" or kind in UPPER else None
    home = None if peer is None else own if number is None else inodes.get(number)
    name = row.text(IFLA_IFNAME)
    readers = _readers(name, own, row) if kind == "tun" else frozenset[int]()
    return Interface(name, kind, index, peer, home, row.mac(IFLA_ADDRESS), bool(flags & IFF_UP), readers)


def _readers(name: str, own: int, row: Row) -> frozenset[int]:
    """The namespaces of the processes that have a tun device open, with 0 for one that cannot be found.

    One process at a time can open a device that has not several queues: if that one is found there is no other.
    """
    if row.nested(IFLA_LINKINFO).nested(IFLA_INFO_DATA).number(IFLA_TUN_MULTI_QUEUE) != 0:
        return frozenset({0})
    readers = frozenset(_inode_or_none(pid) or 0 for pid in tun_devices.openers(name, own))
    return readers or frozenset({0} if row.number(IFLA_CARRIER) else ())


def _forwards() -> bool:
    """Tell whether any interface forwards. /proc/sys/net shows the namespace of the thread that reads it."""
    switches = (path for pattern in FORWARDING_SWITCHES for path in Path("/proc/sys/net").glob(pattern))
    return any(path.read_text().strip() != "0" for path in switches)
