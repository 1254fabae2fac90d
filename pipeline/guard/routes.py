"""Which way packets leave this machine, as the kernel decides it for a source and an interface (rtnetlink(7)). Sends nothing.

Each function takes an open netlink socket (`netlink`) and asks in the network namespace where that was opened. No event loop may run
in the thread that does so.
"""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from pipeline.errors import CensusError, InputError
from pipeline.guard.namespaces import IFF_LOOPBACK

RTM_F_FIB_MATCH = 0x2000  # linux/rtnetlink.h, and so is what follows
RTN_UNICAST, RTN_LOCAL = 1, 2
RTNH_F_DEAD, RTNH_F_LINKDOWN = 1, 16
#: Who made a route: the kernel, a boot script, an administrator, a router advertisement, DHCP. Those of routing daemons are not
#: listed. There may be a million, and they lead to gateways.
LISTED_PROTOCOLS = (2, 3, 4, 9, 16)
#: How the kernel says that it has no route. EINVAL may also mean that the source is not an address of this machine.
NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EINVAL, errno.EACCES})
#: The kind of an interface that leads nowhere, as loopback does: packets to its addresses arrive through others.
DUMMY = "dummy"


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a destination: interface, the source that the kernel uses, and the gateway, dotted."""

    interface: str
    source: str
    gateway: str
    """Empty if the destination is on the link itself."""
    prefix: int
    """The length of the prefix that the route is for; 0 for a default route."""
    unicast: bool
    """False if the destination is this machine itself, or all of a link."""
    mtu: int = 0
    """The longest packet in bytes, if the route has a limit of its own; 0 if it has none."""


@contextmanager
def netlink() -> Iterator[Any]:
    """Open a netlink socket in this thread's network namespace."""
    from pyroute2 import IPRoute  # type: ignore[import-untyped]  # half of a small program's start

    with IPRoute(strict_check=True) as opened:
        yield opened


def index_of(interface: str) -> int:
    """Return the number of an interface. Raises InputError if there is none of this name."""
    try:
        return socket.if_nametoindex(interface)
    except OSError:
        raise InputError(
            "[probe] interface", f"there is no interface {interface!r} here; `ip link` lists the interfaces"
        ) from None


def look_up(opened: Any, destination: str, source: str = "", interface: str = "") -> Route | None:
    """Return the route to a destination from a source and through an interface, where they are given; None if there is none."""
    query = _query(destination, source, interface)
    # Through a given interface the kernel invents a route where it has none: it takes the destination for a neighbour.
    match = _route(opened, query | {"flags": RTM_F_FIB_MATCH})
    way = _route(opened, query) if match else None
    if match is None or way is None:
        return None
    metrics = way.get_attr("RTA_METRICS")
    index, gateway = _next_hop(opened, match, way, source or way.get_attr("RTA_PREFSRC"), query.get("oif"))
    via = socket.if_indextoname(index)
    return Route(
        interface=via,
        source=source or preferred_source(opened, destination, via),
        gateway=gateway,
        prefix=match["dst_len"],
        unicast=way["type"] == RTN_UNICAST,
        mtu=(metrics.get_attr("RTAX_MTU") or 0) if metrics else 0,
    )


def _next_hop(opened: Any, match: Any, way: Any, source: str, index: int | None) -> tuple[int, str]:
    """Return the interface's number and the gateway of a route.

    Of several that work, between which the kernel chooses anew for each destination, it is always the same one: that of the interface
    which has the source, or else the first.
    """
    hops = [
        (hop["oif"], hop.get_attr("RTA_GATEWAY") or "")
        for hop in match.get_attr("RTA_MULTIPATH") or ()
        if not hop["flags"] & (RTNH_F_DEAD | RTNH_F_LINKDOWN) and index in (None, hop["oif"])
    ]
    if not hops:
        return way.get_attr("RTA_OIF"), way.get_attr("RTA_GATEWAY") or ""
    home = interface_of(opened, source)
    return next((hop for hop in hops if home and socket.if_indextoname(hop[0]) == home), hops[0])


def preferred_source(opened: Any, destination: str, interface: str = "") -> str:
    """Return the address that the kernel would send from to a destination; empty if it cannot send there."""
    way = _route(opened, _query(destination, "", interface))
    return (way.get_attr("RTA_PREFSRC") or "") if way else ""


def is_ours(opened: Any, address: str) -> bool:
    """Tell whether an address is one of this machine."""
    way = _route(opened, _query(address, "", ""))
    return way is not None and way["type"] == RTN_LOCAL


def interface_of(opened: Any, address: str) -> str:
    """Return the interface that has an address; empty if that is loopback or a dummy, or no interface has it."""
    for row in opened.get_addr(family=socket.AF_INET):
        if row.get_attr("IFA_LOCAL") == address:
            (link,) = opened.get_links(row["index"])
            information = link.get_attr("IFLA_LINKINFO")
            kind = information.get_attr("IFLA_INFO_KIND") if information else ""
            return "" if link["flags"] & IFF_LOOPBACK or kind == DUMMY else str(link.get_attr("IFLA_IFNAME"))
    return ""


def boundaries(opened: Any) -> list[int]:
    """Return the addresses at which another route may begin, in ascending order, 0 first. Between two of them all go the same way."""
    first = {0}
    for protocol in LISTED_PROTOCOLS:
        for row in opened.get_routes(family=socket.AF_INET, proto=protocol):
            begin = int(IPv4Address(row.get_attr("RTA_DST") or "0.0.0.0"))
            first |= {begin, begin + (1 << 32 - row["dst_len"])}
    return sorted(first - {1 << 32})


def _query(destination: str, source: str, interface: str) -> dict[str, Any]:
    given: dict[str, Any] = {"dst": destination}
    given |= {"src": source, "src_len": 32} if source else {}
    return given | ({"oif": index_of(interface)} if interface else {})


def _route(opened: Any, query: dict[str, Any]) -> Any:
    """Ask the kernel for a route; None if it has none."""
    from pyroute2.netlink.exceptions import NetlinkError  # type: ignore[import-untyped]

    try:
        return opened.route("get", **query)[0]
    except NetlinkError as error:
        if error.code in NO_ROUTE:
            return None
        raise CensusError(f"the kernel does not say which way packets to {query['dst']} leave: {error}") from None
