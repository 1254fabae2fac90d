"""Which way packets leave this machine, as the kernel decides it for a source and an interface (rtnetlink(7)). Sends nothing.

Each function takes an open netlink socket (`rtnetlink.opened`) and asks in the network namespace where that was opened.
"""

import errno
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from pipeline.errors import CensusError, InputError
from pipeline.guard.namespaces import IFF_LOOPBACK, IFLA_IFNAME, IFLA_INFO_KIND, IFLA_LINKINFO
from pipeline.guard.rtnetlink import Netlink, NetlinkError, Row, Topic, attributes, packed

RTM_F_FIB_MATCH = 0x2000  # linux/rtnetlink.h, and so is what follows
RTN_UNICAST, RTN_LOCAL = 1, 2
RTNH_F_DEAD, RTNH_F_LINKDOWN = 1, 16
RTA_DST, RTA_SRC, RTA_OIF, RTA_GATEWAY, RTA_PREFSRC, RTA_METRICS, RTA_MULTIPATH = 1, 2, 4, 5, 7, 8, 9
RTAX_MTU = 2
IFA_LOCAL = 2  # linux/if_addr.h
#: Length, flags, weight and interface of a next hop, before its attributes.
NEXT_HOP = struct.Struct("=HBBi")
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


def index_of(interface: str) -> int:
    """Return the number of an interface. Raises InputError if there is none of this name."""
    try:
        return socket.if_nametoindex(interface)
    except OSError:
        raise InputError(
            "[probe] interface", f"there is no interface {interface!r} here; `ip link` lists the interfaces"
        ) from None


def look_up(opened: Netlink, destination: str, source: str = "", interface: str = "") -> Route | None:
    """Return the route to a destination from a source and through an interface, where they are given; None if there is none."""
    # Through a given interface the kernel invents a route where it has none: it takes the destination for a neighbour.
    match = _route(opened, destination, source, interface, RTM_F_FIB_MATCH)
    way = _route(opened, destination, source, interface) if match else None
    if match is None or way is None:
        return None
    index = index_of(interface) if interface else None
    index, gateway = _next_hop(opened, match, way, source or way.address(RTA_PREFSRC), index)
    via = socket.if_indextoname(index)
    return Route(
        interface=via,
        source=source or preferred_source(opened, destination, via),
        gateway=gateway,
        prefix=match.header[1],
        unicast=way.header[7] == RTN_UNICAST,
        mtu=way.nested(RTA_METRICS).number(RTAX_MTU) or 0,
    )


def _next_hop(opened: Netlink, match: Row, way: Row, source: str, index: int | None) -> tuple[int, str]:
    """Return the interface's number and the gateway of a route.

    Of several that work, between which the kernel chooses anew for each destination, it is always the same one: that of the interface
    which has the source, or else the first.
    """
    hops = [
        (via, gateway)
        for flags, via, gateway in _hops(match.attributes.get(RTA_MULTIPATH, b""))
        if not flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN) and index in (None, via)
    ]
    if not hops:
        return way.number(RTA_OIF) or 0, way.address(RTA_GATEWAY)
    home = interface_of(opened, source)
    return next((hop for hop in hops if home and socket.if_indextoname(hop[0]) == home), hops[0])


def _hops(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield flags, interface and gateway of each next hop of a route with several."""
    while len(data) >= NEXT_HOP.size:
        size, flags, _, index = NEXT_HOP.unpack_from(data)
        yield flags, index, Row((), attributes(data[NEXT_HOP.size : size])).address(RTA_GATEWAY)
        data = data[max(size, NEXT_HOP.size) :]


def preferred_source(opened: Netlink, destination: str, interface: str = "") -> str:
    """Return the address that the kernel would send from to a destination; empty if it cannot send there."""
    way = _route(opened, destination, "", interface)
    return way.address(RTA_PREFSRC) if way else ""


def is_ours(opened: Netlink, address: str) -> bool:
    """Tell whether an address is one of this machine."""
    way = _route(opened, address)
    return way is not None and way.header[7] == RTN_LOCAL


def interface_of(opened: Netlink, address: str) -> str:
    """Return the interface that has an address; empty if that is loopback or a dummy, or no interface has it."""
    for row in opened.rows(Topic.ADDRESS, (socket.AF_INET, 0, 0, 0, 0)):
        if row.address(IFA_LOCAL) == address:
            link = opened.get(Topic.LINK, (0, 0, row.header[4], 0, 0))
            kind = link.nested(IFLA_LINKINFO).text(IFLA_INFO_KIND)
            return "" if link.header[3] & IFF_LOOPBACK or kind == DUMMY else link.text(IFLA_IFNAME)
    return ""


def boundaries(opened: Netlink) -> list[int]:
    """Return the addresses at which another route may begin, in ascending order, 0 first. Between two of them all go the same way."""
    first = {0}
    for protocol in LISTED_PROTOCOLS:
        for row in opened.rows(Topic.ROUTE, (socket.AF_INET, 0, 0, 0, 0, protocol, 0, 0, 0)):
            begin = int(IPv4Address(row.address(RTA_DST) or "0.0.0.0"))
            first |= {begin, begin + (1 << 32 - row.header[1])}
    return sorted(first - {1 << 32})


def _route(opened: Netlink, destination: str, source: str = "", interface: str = "", flags: int = 0) -> Row | None:
    """Ask the kernel for a route; None if it has none."""
    given = {RTA_DST: socket.inet_aton(destination)}
    given |= {RTA_SRC: socket.inet_aton(source)} if source else {}
    given |= {RTA_OIF: packed(index_of(interface))} if interface else {}
    try:
        return opened.get(Topic.ROUTE, (socket.AF_INET, 32, 32 if source else 0, 0, 0, 0, 0, 0, flags), given)
    except NetlinkError as error:
        if error.errno in NO_ROUTE:
            return None
        raise CensusError(f"the kernel does not say which way packets to {destination} leave: {error}") from None
