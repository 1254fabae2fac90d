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
from typing import Any, TypeVar

from pipeline import host
from pipeline.errors import CensusError
from pipeline.guard import tun_devices

CLONE_NEWNET = 0x40000000  # linux/sched.h
IFF_UP, IFF_LOOPBACK = 0x1, 0x8  # linux/if.h
NO_NSID = 0xFFFFFFFF  # NETNSA_NSID_NOT_ASSIGNED, linux/net_namespace.h
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
    from pyroute2 import IPRoute  # type: ignore[import-untyped]  # half of a small program's start

    own = inode()
    with IPRoute() as netlink:
        rows = list(netlink.get_links())
        seen = any(row.get_attr("IFLA_LINK_NETNSID") is not None for row in rows)
        inodes = dict(_numbered(netlink)) if seen else {}
    return Namespace(own, tuple(_link(row, own, inodes) for row in rows), _forwards())


def _numbered(netlink: Any) -> Iterator[tuple[int, int]]:
    """Yield (number, inode) of each namespace that some process lives in and that this one has a number for."""
    for namespace, pids in _inhabited().items():
        numbers = (_number(netlink, pid, namespace) for pid in pids)
        number = next((number for number in numbers if number is not None), NO_NSID)
        if number != NO_NSID:
            yield number, namespace


def _number(netlink: Any, pid: int, namespace: int) -> int | None:
    """Return the number of a process's namespace here, or None if the process has ended meanwhile."""
    from pyroute2.netlink.exceptions import NetlinkError  # type: ignore[import-untyped]

    try:
        number = int(netlink.get_netnsid(pid=pid)["nsid"])
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


def _link(row: Any, own: int, inodes: dict[int, int]) -> Interface:
    information, flags = row.get_attr("IFLA_LINKINFO"), row["flags"]
    kind = ARPHRD_LOOPBACK if flags & IFF_LOOPBACK else (information.get_attr("IFLA_INFO_KIND") if information else "")
    number, peer = row.get_attr("IFLA_LINK_NETNSID"), row.get_attr("IFLA_LINK")
    peer = peer if kind == "veth" or kind in UPPER else None
    home = None if peer is None else own if number is None else inodes.get(number)
    name, address = row.get_attr("IFLA_IFNAME"), row.get_attr("IFLA_ADDRESS") or ""
    readers = _readers(name, own, row, information) if kind == "tun" else frozenset[int]()
    return Interface(name, kind or "", row["index"], peer, home, address, bool(flags & IFF_UP), readers)


def _readers(name: str, own: int, row: Any, information: Any) -> frozenset[int]:
    """The namespaces of the processes that have a tun device open, with 0 for one that cannot be found.

    One process at a time can open a device that has not several queues: if that one is found there is no other.
    """
    described = information.get_attr("IFLA_INFO_DATA")
    if described is None or described.get_attr("IFLA_TUN_MULTI_QUEUE") != 0:
        return frozenset({0})
    readers = frozenset(_inode_or_none(pid) or 0 for pid in tun_devices.openers(name, own))
    return readers or frozenset({0} if row.get_attr("IFLA_CARRIER") else ())


def _forwards() -> bool:
    """Tell whether any interface forwards. /proc/sys/net shows the namespace of the thread that reads it."""
    switches = (path for pattern in FORWARDING_SWITCHES for path in Path("/proc/sys/net").glob(pattern))
    return any(path.read_text().strip() != "0" for path in switches)
