"""A sender of a plan: where it sends from, its sockets and rings, and what it sends beside the plan's probes.

Senders differ in their source ports, and in their source address where the plan names several. The first of them also sends what
belongs to no range: to the lab's control targets, to hosts of the harm check, and the second visits.
"""

import secrets
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.associate.conversation import Conversation
from pipeline.errors import InputError
from pipeline.guard import namespaces, sockets
from pipeline.lake.visit_log import VisitLog
from pipeline.optout.watch import Watch
from pipeline.probe.engine import PacketEngine
from pipeline.probe.extra_probes import ExtraProbe, ExtraProbes
from pipeline.probe.greeting import Greeter
from pipeline.probe.harm_arms import HarmArms
from pipeline.probe.listener import Listener
from pipeline.probe.liveness import LivenessCheck
from pipeline.probe.rst_filter import suppress_resets
from pipeline.probe.sampling import disjoint_samples
from pipeline.probe.segments import SegmentSender
from pipeline.rings.filter import filter_program
from pipeline.rings.open import RINGS
from pipeline.rings.pcap import RAW, Capture
from pipeline.space.listing import parse
from pipeline.space.plan import Plan
from pipeline.space.ranges import U32
from pipeline.space.shard import Range
from pipeline.wire.cookie import SOURCE_PORT_BITS, Secret, Slice
from pipeline.wire.outgoing import Outgoing
from pipeline.wire.packet import Link, template
from pipeline.worker.connector import Connector
from pipeline.worker.context import WorkerContext
from pipeline.worker.control_targets import targets


@dataclass(frozen=True, slots=True)
class SenderParts:
    """What a sender's process drives: its engine, the questions that leave through it, and its dotted source address."""

    engine: PacketEngine | Connector
    source: str
    asking: LivenessCheck
    own: LivenessCheck


def ring_sender(
    setting: WorkerContext, number: int, outgoing: Outgoing, watch: Watch, begun: VisitLog, stack: ExitStack
) -> SenderParts:
    """A sender over rings of its own; the shield before the kernel's TCP is down, and a capture written, when the stack is left."""
    plan = setting.plan
    (interface, link, source), ours = vantage(plan, number), slice_of(plan, number)
    stack.enter_context(suppress_resets(interface, source, _ports(plan), ours))
    capture = stack.enter_context(Capture(_capture(setting.pcap, number), RAW)) if setting.pcap else None
    asking, own = _askings(setting, ours)
    engine = engine_of(setting, ours, outgoing, interface, link, watch, [asking, own], begun, capture)
    return SenderParts(engine, source, asking, own)


def connect_sender(
    setting: WorkerContext, number: int, outgoing: Outgoing, watch: Watch, _begun: VisitLog, stack: ExitStack
) -> SenderParts:
    """A sender over the kernel's TCP, for which no privilege is needed; its questions are never asked: they would be bare connects."""
    plan, ours = setting.plan, slice_of(setting.plan, number)
    sockets.require_authorised(plan.identity)
    if setting.pcap:
        raise InputError("--pcap", 'needs packet rings; engine = "connect" sees no packets')
    source = _source(plan, number) or namespaces.next_hop().source
    engine = Connector(
        plan.walk(),
        lambda destination: sockets.tcp_socket(destination, source=source, interface=plan.probe.interface),
        outgoing,
        echo=plan.settings.profile == "echo",
        secured=plan.tls.ports,
        permit=watch.permit,
        pacer=setting.budget(),
    )
    stack.callback(engine.close)
    return SenderParts(engine, source, *_askings(setting, ours))


#: How each engine's sender is made.
SENDERS = dict.fromkeys(RINGS, ring_sender) | {"connect": connect_sender}


def _askings(setting: WorkerContext, ours: Slice) -> tuple[LivenessCheck, LivenessCheck]:
    """The questions of the harm check, and those to the lab's own control targets."""
    plan = setting.plan
    return (
        LivenessCheck(Secret.derived(setting.secret, "harm probe", ours), plan.probe.cooldown),
        LivenessCheck(Secret.derived(setting.secret, "control target", ours), plan.probe.cooldown, repeats=False),
    )


def _capture(path: Path, number: int) -> Path:
    """The capture file of a sender: of the others than the first with their number before the suffix."""
    return path.with_stem(f"{path.stem}-{number}") if number else path


def _ports(plan: Plan) -> list[int]:
    """The ports from which answers to our SYNs come."""
    return sorted({*plan.settings.ports, plan.control.port, *(port for _, port in targets(plan.control))})


def _source(plan: Plan, sender: int) -> str:
    """The source address that the plan gives a sender; empty where that of the default route is to be looked up."""
    sources = plan.probe.sources
    return sources[sender % len(sources)] if sources else ""


def vantage(plan: Plan, sender: int = 0) -> tuple[str, Link, str]:
    """Interface, link addresses and dotted source of a sender's probes. Raises GuardError first, then InputError."""
    sockets.require_authorised(plan.identity)
    return sockets.at_vantage(lambda: _vantage(plan, sender))


def _vantage(plan: Plan, sender: int) -> tuple[str, Link, str]:
    probe = plan.probe
    hop = None if probe.interface and probe.sources and probe.gateway_mac else namespaces.next_hop()
    interface = probe.interface or (hop.interface if hop else "")
    source = _source(plan, sender) or (hop.source if hop else "")
    gateway = probe.gateway_mac or (hop.gateway_mac if hop else "")
    if not gateway:
        raise InputError("key probe.gateway_mac", f"the next hop on {interface} has no known address; name it")
    address = parse(source, "key probe.source")[0]
    return interface, Link(_mac(namespaces.mac(interface)), _mac(gateway), address), source


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def slice_of(plan: Plan, sender: int) -> Slice:
    """The source ports of a sender that begins now."""
    return Slice.of(sender, plan.probe.processes, turn=secrets.randbits(SOURCE_PORT_BITS))


def engine_of(
    setting: WorkerContext, ours: Slice, outgoing: Outgoing, interface: str, link: Link, watch: Watch, askings: list[LivenessCheck],
    begun: VisitLog, capture: Capture | None,
) -> PacketEngine:  # fmt: skip
    """The engine of a sender with these source ports, on its interface."""
    plan, frame = setting.plan, template(link)
    echo = plan.settings.profile == "echo"

    def talk(ip: int, port: int, started_at_us: int) -> Conversation:
        return Conversation(outgoing, echo=echo, ip=ip, port=port, started_at_us=started_at_us)

    def begins(chosen: Range, addresses: U32, ports: NDArray[np.uint16]) -> None:
        begun.note(chosen.shard, chosen.number, addresses, ports)

    rings = RINGS[plan.probe.engine](interface, frame, filter_program(link.source, ours))
    speaker = SegmentSender(rings.segments, link, outgoing)
    ports = plan.settings.ports if plan.settings.profile == "capabilities" else plan.tls.ports
    walk, secret = plan.walk(), Secret.of(setting.secret, ours)
    asides, choice = _drawn(setting, ours)
    greeter = Greeter(speaker, outgoing, talk)
    return PacketEngine(
        walk,
        secret,
        rings.probes,
        Listener(
            walk, secret, rings.receive, speaker, greeter,
            asides=asides, handed_on=ports, askings=askings, choice=choice, begins=begins,
            capture=capture,
        ),
        permit=watch.permit,
        frame=frame,
        pacer=setting.budget(),
        cooldown=plan.probe.cooldown,
        asides=asides,
        askings=askings,
    )  # fmt: skip


def _drawn(setting: WorkerContext, ours: Slice) -> tuple[ExtraProbes, HarmArms | None]:
    """The probes beside the plan's own that it wants, and whom its harm check holds back: no target is drawn for two of them."""
    plan, port = setting.plan, setting.plan.settings.ports[0]
    chooser, half = Secret.derived(setting.secret, "choice"), plan.harm.sample / 2 if plan.harm else 0.0
    second, beside, visited, unvisited = disjoint_samples(plan.loss.sample, plan.control.sample, half, half)
    kinds = (
        ExtraProbe.of("second", setting.secret, second, delay=plan.loss.delay, ports=ours),
        ExtraProbe.of("control", setting.secret, beside, delay=0.0, port=plan.control.port, beside=port, ports=ours),
    )
    choice = HarmArms(chooser, visited, unvisited) if plan.harm else None
    return ExtraProbes(tuple(aside for aside in kinds if aside.lot.size), chooser), choice
