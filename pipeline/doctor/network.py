"""The vantage: privileges, engines, interface, route, next hop, filter. No probe is sent; the kernel may look up the next hop."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.config import local
from pipeline.doctor.finding import Finding, Subject, ok, stop, warning
from pipeline.engines import Engine
from pipeline.errors import CensusError
from pipeline.guard import link_state, nftables, sockets
from pipeline.guard.link_state import Framing
from pipeline.plan import timing
from pipeline.wire.cookie import FIRST_SOURCE_PORT, SOURCE_PORTS
from pipeline.worker import egress, engine_choice, mandate, remarks

#: Bits of capabilities (linux/capability.h).
CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13}
#: Columns and state of a listening socket in /proc/net/tcp (proc_net_tcp(5)).
LOCAL_ADDRESS, STATE, LISTEN = 1, 3, "0A"
#: What an engine falls back to by itself.
FALLS_TO = {Engine.XDP_LIVE: Engine.XDP, Engine.XDP: Engine.RING}
GRANT = 'run as root, or grant them (docs/install.md: AmbientCapabilities); engine = "auto" takes "connect" then, which needs none'
#: What to do if the plan may not be sent from here.
IDENTITY_LACKS = "fill in [identity] (docs/configuration.md)"
TESTBEDS_ONLY = f"run it by `census testbed run -- …`, or unset {sockets.ONLY_TESTBED} if it may send to others"


def privileges(subject: Subject) -> Iterator[Finding]:
    """Compare the capabilities of this process with those that packet rings need (capabilities(7))."""
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    effective = int(status["CapEff"], 16)
    lacking = [name for name, bit in CAPABILITIES.items() if not effective >> bit & 1]
    if not lacking:
        yield ok(f"{' and '.join(CAPABILITIES)} are there")
    elif subject.raw:
        yield stop(f"{' and '.join(lacking)} lack{'s' * (len(lacking) == 1)}", GRANT)
    else:
        yield ok(f"{' and '.join(lacking)} lack{'s' * (len(lacking) == 1)}; engine connect needs none")


def engine(subject: Subject) -> Iterator[Finding]:
    """Name the engine that the sweep takes, and why none that is faster."""
    plan = subject.plan
    if plan is None:
        row, passed = engine_choice.of_machine()
        why = f", since {engine_choice.reasons(passed)}" if passed else ""
        yield _taken(f"{Engine.AUTO} takes {row.engine}{why}; a plan's route and targets may exclude it", row.engine)
    elif not subject.choice:
        yield _named(plan.probe.engine)
    elif engine_choice.candidate(plan.probe.engine).why_not(plan):
        yield stop(subject.choice, GRANT)
    else:
        yield _taken(subject.choice, plan.probe.engine)


def _taken(text: str, used: Engine) -> Finding:
    """How an engine was chosen: a warning if it measures no losses."""
    return ok(text) if used.extra_probes else warning(f"{text}; it measures no losses", "mend that, if it matters")


def _named(wanted: Engine) -> Finding:
    """Whether this machine has the engine that a plan names."""
    reason, falls_to = engine_choice.candidate(wanted).why_not(None), FALLS_TO.get(wanted)
    if not reason:
        return ok(f"the sweep takes {wanted}, as configured")
    text = f"{wanted} cannot be used: {reason}"
    if falls_to and not engine_choice.candidate(falls_to).why_not(None):
        return warning(text, f'nothing: the sweep takes "{falls_to}" then')
    return stop(text, GRANT)


def rst_filter(subject: Subject) -> Iterator[Finding]:
    """Look whether nftables can hold back the resets that the kernel would send to hosts that answer."""
    if not subject.raw:
        return
    reason = nftables.usable()
    if reason:
        yield stop(reason, 'without it the kernel resets every conversation; mend it, or take engine = "connect"')
    else:
        yield ok("nftables can be changed: the kernel's resets will be held back")


def route(subject: Subject) -> Iterator[Finding]:
    """Look up the way of every source address, and the interface that it leads through."""
    if subject.plan is None:
        yield ok(f"the kernel sends to the Internet from {egress.default_source('')}")
        return
    for source in egress.sources(subject.plan):
        way = f"from {source.source} through {source.interface or 'the interface of each route'}"
        yield ok(f"probes leave {way}" + (f" to the next hop {source.gateway}" if source.gateway else ""))
        if source.interface:
            yield from _interface(source.interface)
        if subject.raw:
            with egress.next_hop(subject.plan, source) as hop:
                if hop.mac:
                    yield ok(f"the next hop has the hardware address {hop.mac}")


def _interface(name: str) -> Iterator[Finding]:
    """The state and the offloads of an interface."""
    state, offloads = link_state.link_state(name), link_state.offloads(name)
    framing = "Ethernet" if state.framing is Framing.ETHERNET else "bare IP"
    if state.trouble:
        yield stop(state.trouble, f"`ip link set {name} up`; check the cable")
    else:
        yield ok(f"interface {name} is up: {framing}, MTU {state.mtu}, so SYNs announce an MSS of {state.mss}")
    if offloads.lro:
        yield warning(
            f"interface {name} joins received packets (LRO)",
            f"`ethtool -K {name} lro off`: routers must not, scanners neither",
        )


def translation(subject: Subject) -> Iterator[Finding]:
    """Name what a NAT hides, and the tables that the sweep may fill."""
    if subject.plan is None:
        return
    remedies = (
        *((sentence, f"export {local.PUBLIC_ADDRESS}") for sentence in remarks.unnamed(subject.plan)),
        *((sentence, "lower [sweep] rate") for sentence in remarks.crowded(subject.plan)),
    )
    yield from (warning(sentence, remedy) for sentence, remedy in remedies)
    if not remedies:
        yield ok("no NAT hides the source, and no table on this machine fills")


def ports(subject: Subject) -> Iterator[Finding]:
    """Look for programs that use the source ports of probes, or listen where the sweep probes."""
    listening = {port for port, state in _tcp_ports() if state == LISTEN}
    ours = range(FIRST_SOURCE_PORT, FIRST_SOURCE_PORT + SOURCE_PORTS)
    taken = sorted({port for port, _ in _tcp_ports() if port in ours})
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    span = f"{ours[0]}–{ours[-1]}"
    if subject.raw and taken:
        yield warning(f"other programs use source ports of probes ({span}): {taken[:5]}", "end them, or move them")
    elif subject.raw and low <= ours[-1] and high >= ours[0]:
        yield warning(
            f"the kernel gives ordinary connections ports {low}–{high}, and probes leave from {span}",
            "`sysctl net.ipv4.ip_local_port_range='32768 60999'`, Linux's default",
        )
    else:
        yield ok(f"source ports {span} are free")
    if shared := sorted(listening & set(subject.plan.settings.ports if subject.plan else (104, 11112))):
        yield warning(
            f"this machine itself listens on {', '.join(map(str, shared))}: it may be an open DICOM service",
            "close it, or restrict it to your own network",
        )


def control_targets(subject: Subject) -> Iterator[Finding]:
    """Look whether the sweep would notice that the path to the Internet breaks."""
    plan = subject.plan
    if plan is None or not plan.probe.engine.extra_probes:
        return
    if plan.control.targets:
        yield ok(
            f"SYNs to {', '.join(plan.control.targets)} show every {plan.control.interval:g} s that the path works"
        )
    else:
        yield warning(
            "no control target: a broken path looks like a silent Internet until the hit-rate alarm fires",
            'name a host of yours in another network: [control] targets = ["ADDRESS:PORT"]',
        )


def identity(subject: Subject) -> Iterator[Finding]:
    """Look whether the plan may be sent from here: an identity that is complete, or a closed testbed."""
    if subject.plan is None:
        return
    try:
        sockets.require_authorised(subject.plan.identity)
    except CensusError as error:
        yield stop(str(error), IDENTITY_LACKS if sockets.missing_identity(subject.plan.identity) else TESTBEDS_ONLY)
    else:
        testbed = sockets.in_closed_testbed()
        yield ok(
            "this is a closed testbed: nothing leaves it"
            if testbed
            else "[identity] names who scans and who authorised it"
        )


def companions(subject: Subject) -> Iterator[Finding]:
    """Look whether companion SYNs to one address are as far apart as they must be here."""
    if subject.plan is None:
        return
    if not subject.plan.companions.ports:
        yield ok("the plan has none")
        return
    try:
        mandate.require_apart(subject.plan.companions)
    except CensusError as error:
        yield stop(str(error), "raise `delay` in [companions]")
    else:
        yield ok(
            f"an address gets a companion SYN every {timing.companions_apart(subject.plan.companions):.3g} s at most"
        )


def announcement(subject: Subject) -> Iterator[Finding]:
    """Look whether scanned networks can find who scans: reverse DNS, page, probing.txt. It takes seconds."""
    plan = subject.plan
    if plan is None or not plan.identity.url or (sockets.in_closed_testbed() and not plan.identity.resolver):
        return
    from pipeline.attribution import check

    findings = list(check.findings(plan.identity, *remarks.published(plan)))
    remedy = "`census identity CONFIG -o FOLDER` writes both files; ask your provider for the reverse DNS"
    yield from ((stop if plan.identity.strict else warning)(sentence, remedy) for sentence in findings)
    if not findings:
        yield ok(f"reverse DNS, {plan.identity.url} and probing.txt can be found")


def _tcp_ports() -> list[tuple[int, str]]:
    """The local port and the state of each TCP socket at the vantage."""
    rows = sockets.at_vantage(lambda: Path("/proc/thread-self/net/tcp").read_text()).splitlines()[1:]
    cells = (row.split() for row in rows)
    return [(int(row[LOCAL_ADDRESS].rpartition(":")[2], 16), row[STATE]) for row in cells]
