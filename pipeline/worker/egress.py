"""The vantage: which interface, source address and next hop the frames of a sender leave by, on this machine.

The route is the one that the kernel has for the plan's targets, this source and this interface. What cannot work is refused before the
first packet: a source that is not ours, targets that packet rings cannot reach, a next hop that does not answer.
"""

import socket
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any

import msgspec

from pipeline.config import local
from pipeline.config.local import LocalFacts
from pipeline.engines import Engine
from pipeline.errors import CensusError, InputError
from pipeline.guard import neighbours, routes, sockets
from pipeline.guard.link_state import Framing, LinkState, link_state
from pipeline.guard.neighbours import NeighbourWatch
from pipeline.guard.routes import Route
from pipeline.guard.vantage_namespace import look_up_at_vantage
from pipeline.plan.plan import Plan

#: An address of the public Internet, for sources that are looked up without a plan: nothing is sent to it.
SOMEWHERE = int(IPv4Address("1.1.1.1"))
CONNECT = 'set [probe] engine = "connect", which lets the kernel send'
#: Seconds in which a next hop may contradict a hardware address that the plan gives.
CONTRADICT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ProbeSource:
    """Where a sender's probes leave: interface, dotted source, dotted gateway, and the gateway's hardware address if it is given.

    With the kernel's TCP the kernel chooses the way to each target; the interface is then that of the first ones.
    """

    interface: str
    device: str
    """The interface that the kernel's sockets are bound to; empty if the kernel is to choose."""
    source: str
    gateway: str
    gateway_mac: str
    public: str
    """The address that scanned networks see, as receipts and rows name it."""
    mtu: int = 0
    """The longest packet in bytes that may leave: the least MTU of the interface and of the routes to the targets."""
    hops: tuple[tuple[str, str], ...] = ()
    """Interface and gateway of each way to the targets; no gateway where it does not matter."""
    mac: bytes = b""
    """The hardware address that frames leave from; empty where they have none, or are the kernel's."""


def probe_source(plan: Plan, sender: int = 0) -> ProbeSource:
    """Look up where a sender's probes leave. Sends nothing. Raises InputError where it cannot work."""
    facts = local.facts(plan.probe)
    return look_up_at_vantage(lambda: _probe_source(plan, facts, sender))


def still(plan: Plan, at: ProbeSource) -> ProbeSource:
    """Look up a way again, from its source and through its interface. Raises InputError where it no longer works."""
    facts = local.facts(plan.probe)
    pinned = msgspec.structs.replace(facts.probe, source=at.source, interface=at.device)
    same = replace(facts, probe=pinned, public_addresses=(at.public,))
    return look_up_at_vantage(lambda: _probe_source(plan, same, 0))


def _probe_source(plan: Plan, facts: LocalFacts, sender: int) -> ProbeSource:
    interface, gateway_mac = facts.probe.interface, facts.probe.gateway_mac
    with routes.netlink() as opened:
        groups = alike(plan.ranges, routes.boundaries(opened))
        source = facts.source(sender) or _preferred_source(opened, groups, interface)
        _require_ours(opened, source, facts)
        public = facts.public(sender) or source
        if not plan.probe.engine.raw:
            return _kernels_way(opened, groups, source, interface, public)
        ways = [(group, routes.look_up(opened, dotted(group[0]), source, interface)) for group in groups]
        way = _only_way(ways, facts, source)
        state = link_state(way.interface)
        mtu = min([state.mtu, *(way.mtu for _, way in ways if way and way.mtu)])
        if not interface and facts.source(sender):
            _require_answers(opened, way.interface, source, facts)
    one_mac = gateway_mac or state.framing is Framing.BARE_IP
    hops = ((way.interface, "" if one_mac else way.gateway),)
    name = way.interface
    return ProbeSource(name, name, source, way.gateway, gateway_mac, public, mtu, hops, state.mac)


def _kernels_way(
    opened: Any, groups: Sequence[tuple[int, int]], source: str, interface: str, public: str
) -> ProbeSource:
    """Return where the kernel's own packets leave. Its interface is that of the first targets that have a route.

    It has a gateway if all targets are behind the same one. Raises InputError if no target has a route.
    """
    looked_up = [routes.look_up(opened, dotted(first), source, interface) for first, _ in groups]
    ways = [way for way in looked_up if way is not None]
    if not ways:
        raise InputError("[probe]", f"there is no route from {source} to the targets; `ip route` lists the routes")
    hops = tuple(sorted({(way.interface, way.gateway) for way in ways if way.unicast}))
    gateway = hops[0][1] if len(hops) == 1 else ""
    return ProbeSource(ways[0].interface, interface, source, gateway, "", public, hops=hops)


def alike(ranges: Sequence[tuple[int, int]], boundaries: Sequence[int]) -> list[tuple[int, int]]:
    """Group targets by the route that they take: for each piece between two boundaries that has any, its first and last target.

    Ranges are pairs of first and last address, ascending and disjoint; boundaries ascend from 0.
    """
    first, groups = [begin for begin, _ in ranges], []
    for begin, end in pairwise((*boundaries, 1 << 32)):
        lowest, highest = max(bisect_right(first, begin) - 1, 0), bisect_right(first, end - 1) - 1
        lowest += ranges[lowest][1] < begin
        if lowest <= highest:
            groups.append((max(begin, ranges[lowest][0]), min(end - 1, ranges[highest][1])))
    return groups


def dotted(address: int) -> str:
    """Return an address as people write it."""
    return str(IPv4Address(address))


def _preferred_source(opened: Any, groups: Sequence[tuple[int, int]], interface: str) -> str:
    """Return the source that the kernel prefers for the first targets that are not this machine itself. Raises InputError."""
    others = [first for first, _ in groups if not routes.is_ours(opened, dotted(first))]
    target = dotted(others[0] if others else groups[0][0])
    if source := routes.preferred_source(opened, target, interface):
        return source
    where = f" by {interface}" if interface else ""
    raise InputError(
        "[probe] source",
        f"cannot be looked up: there is no route to {target}{where}, or no address to send from; `ip route` and `ip addr` list both; "
        "set interface, source and gateway_mac if that is meant",
    )


def _require_ours(opened: Any, source: str, facts: LocalFacts) -> None:
    """Raise InputError unless a source is an address of this machine: nobody sends in another's name."""
    if not routes.is_ours(opened, source):
        raise InputError(
            facts.named("source"),
            f"{source} is not an address of this machine; `ip addr` lists those. In a fleet that shares a plan each machine "
            f"names its own: export {local.SOURCE}=…",
        )


def _only_way(ways: Sequence[tuple[tuple[int, int], Route | None]], facts: LocalFacts, source: str) -> Route:
    """Return the way that all targets take. Raises InputError if they do not all leave to one next hop."""
    ways_out = [(group, way) for group, way in ways if way is None or way.unicast]
    outward = []
    for way, same in groupby(ways_out, key=itemgetter(1)):
        groups = [group for group, _ in same]
        which = _named(groups[0][0], groups[-1][1])
        outward.append((which, way or _given_way(facts, source, which)))
    if not outward:
        raise InputError("[targets]", f"are addresses of this machine, which packet rings do not reach; {CONNECT}")
    first, only = outward[0]
    state = link_state(only.interface)
    _require_framing(state, facts.probe.engine)
    bare, one_mac = state.framing is Framing.BARE_IP, bool(facts.probe.gateway_mac)
    for which, way in outward:
        if not way.gateway and not (bare or (one_mac and way.prefix == 0)):
            raise InputError("[targets]", _on_link(which, way))
        if way.interface != only.interface or (way.gateway != only.gateway and not (bare or one_mac)):
            raise InputError(
                "[targets]",
                f"{which} leave by {way.gateway} on {way.interface}, {first} by {only.gateway} on {only.interface}, and packet "
                f"rings have one next hop; sweep them apart, or {CONNECT}",
            )
    return only


def _require_framing(state: LinkState, engine: Engine) -> None:
    """Raise InputError unless packet rings can send on a link."""
    if state.framing is Framing.OTHER:
        raise InputError(
            f"interface {state.name}",
            f'has neither Ethernet frames nor bare IP packets, so engine "{engine}" cannot send there; '
            f'set engine = "{Engine.CONNECT}" in [probe]',
        )


def _named(first: int, last: int) -> str:
    return dotted(first) if first == last else f"{dotted(first)} to {dotted(last)}"


def _given_way(facts: LocalFacts, source: str, which: str) -> Route:
    """Return the way of targets without a route, where interface and next hop are given. Raises InputError where they are not."""
    section = facts.probe
    if section.interface and section.gateway_mac:
        return Route(section.interface, source, "", prefix=0, unicast=True)
    through = f" through {section.interface}" if section.interface else ""
    raise InputError(
        "[probe]",
        f"there is no route from {source}{through} to the targets {which}; add one (`ip route`), exclude them, "
        "or set interface, source and gateway_mac",
    )


def _on_link(which: str, way: Route) -> str:
    """Why targets without a gateway are refused."""
    if way.prefix == 0:
        return (
            f"{which}: the default route by {way.interface} has no gateway, so packet rings have no next hop; "
            f"set [probe] gateway_mac, or {CONNECT}"
        )
    return (
        f"{which} are on the link of {way.interface} itself, and packet rings send to a gateway only; "
        f"{CONNECT}, or exclude them"
    )


def _require_answers(opened: Any, interface: str, source: str, facts: LocalFacts) -> None:
    """Raise InputError if probes leave by one interface while their answers come in by another, as far as the addresses show."""
    home = routes.interface_of(opened, source)
    if home and home != interface:
        raise InputError(
            facts.named("source"),
            f"{source} is an address of {home}, but its route leaves by {interface}, so answers may come in where nobody listens; "
            f'set [probe] interface = "{home}", add a routing rule (`ip rule add from {source} …`), or set '
            f'interface = "{interface}" if answers do come in there',
        )


def sources(plan: Plan) -> tuple[ProbeSource, ...]:
    """Return where each source address of a plan leaves. Raises InputError as `probe_source` does."""
    count = max(1, len(local.facts(plan.probe).probe.sources))
    return tuple(probe_source(plan, sender) for sender in range(count))


def default_source(interface: str) -> str:
    """Return the dotted address that the kernel prefers for the Internet, by an interface if one is given. Raises InputError."""
    return look_up_at_vantage(lambda: _default_source(interface))


def _default_source(interface: str) -> str:
    with routes.netlink() as opened:
        return _preferred_source(opened, [(SOMEWHERE, SOMEWHERE)], interface)


# --- the next hop ---


@contextmanager
def next_hop(plan: Plan, source: ProbeSource) -> Iterator[NeighbourWatch]:
    """Resolve the next hop of a sender and watch it during the block. Raises CensusError if it does not answer."""
    if not plan.probe.engine.raw:
        with NeighbourWatch(source.interface, source.gateway, "", kernels=True) as watch:
            yield watch
        return
    watch = look_up_at_vantage(lambda: _resolved(local.facts(plan.probe), source))
    if source.gateway_mac or not watch.mac:
        yield watch
        return
    with watch:
        yield watch


def _resolved(facts: LocalFacts, source: ProbeSource) -> NeighbourWatch:
    gateway, interface, given = source.gateway, source.interface, source.gateway_mac.lower()
    if link_state(interface).framing is Framing.BARE_IP:
        return NeighbourWatch(interface, gateway, "")
    if given:
        known = (
            neighbours.resolve(interface, gateway, CONTRADICT_SECONDS) if gateway and not facts.from_environment else ""
        )
        if known not in ("", given):
            raise InputError(
                "key probe.gateway_mac",
                f"{given} is not the next hop of this machine: {gateway} on {interface} has {known}; leave the key out, or, if it is "
                f"meant, export {local.GATEWAY_MAC}={given}",
            )
        return NeighbourWatch(interface, gateway, given)
    mac = neighbours.resolve(interface, gateway)
    if not mac:
        raise CensusError(
            f"the next hop {gateway} on {interface} does not answer (ARP); check cable, VLAN and route (`ip route`), "
            "or set [probe] gateway_mac"
        )
    return NeighbourWatch(interface, gateway, mac)


def mac_bytes(text: str) -> bytes:
    """Return the six bytes of a hardware address."""
    return bytes.fromhex(text.replace(":", ""))


def opener(source: ProbeSource) -> Callable[[str], socket.socket]:
    """Return what opens the kernel's TCP sockets for a sender: they leave as its probes do."""
    return lambda destination: sockets.tcp_socket(destination, source=source.source, interface=source.device)
