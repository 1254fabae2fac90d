"""A sender of a plan: where it sends from, its sockets and rings, and what it sends in addition to the plan's own probes.

Senders differ in their source ports, and in their source address if the plan names several. The first of them also sends what
belongs to no range: liveness checks of the lab's control targets and of the harm check, and companion SYNs. It paces the second
visits as well.
"""

import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.associate.conversation import Conversation
from pipeline.engines import Engine
from pipeline.errors import InputError
from pipeline.guard import sockets
from pipeline.guard.link_state import LinkWatch, mss
from pipeline.lake.visit_log import VisitLog
from pipeline.optout.watch import Watch
from pipeline.plan.plan import Plan
from pipeline.probe.departure import Departure, WatchedRing
from pipeline.probe.engine import PacketEngine
from pipeline.probe.engine_events import ProbeEngine
from pipeline.probe.extra_probes import CONTROL, SECOND, ExtraProbe, ExtraProbes
from pipeline.probe.greeting import Greeter
from pipeline.probe.harm_arms import HarmArms
from pipeline.probe.listener import FirstAnswers, Listener
from pipeline.probe.liveness import LivenessCheck
from pipeline.probe.outage import Machine, Outage
from pipeline.probe.probe_set import ProbeSet
from pipeline.probe.rst_filter import suppress_resets
from pipeline.probe.sampling import disjoint_samples
from pipeline.probe.segments import SegmentSender
from pipeline.rings.filter import filter_program
from pipeline.rings.open import open_rings
from pipeline.rings.pcap import RAW, Capture
from pipeline.space.address_list import parse
from pipeline.space.permit import Permit
from pipeline.space.ranges import U32
from pipeline.space.shard import Range
from pipeline.wire.cookie import SOURCE_PORT_BITS, ProbeKind, Secret, Slice
from pipeline.wire.outgoing import Outgoing
from pipeline.wire.packet import Link, template
from pipeline.worker import egress
from pipeline.worker.connector import Connector, Visitor
from pipeline.worker.context import WorkerContext
from pipeline.worker.control_targets import targets
from pipeline.worker.egress import ProbeSource
from pipeline.worker.engine_choice import candidate
from pipeline.worker.way_watch import WayWatch, watched


@dataclass(frozen=True, slots=True)
class SenderContext:
    """What a sender is made from. What it opens is closed when `stack` is left."""

    worker: WorkerContext
    number: int
    """Which of the senders it is, counted from 0."""
    outgoing: Outgoing
    watch: Watch
    visit_log: VisitLog
    stack: ExitStack

    @property
    def plan(self) -> Plan:
        """The plan that it sends."""
        return self.worker.plan

    @property
    def echoes(self) -> bool:
        """A C-ECHO is sent to hosts that accept an association."""
        return self.plan.settings.profile.sends_echo

    def conversation(self, ip: int, port: int, started_at_us: int) -> Conversation:
        """A conversation with a host that was greeted."""
        return Conversation(self.outgoing, echo=self.echoes, ip=ip, port=port, started_at_us=started_at_us)


class Checks(NamedTuple):
    """The SYNs outside the plan's order that leave through a sender.

    Those of the harm check, those that confirm the silence of hosts to another sender, those to the lab's own control targets, and
    companion SYNs.
    """

    harm: LivenessCheck
    confirmations: LivenessCheck
    control: LivenessCheck
    companions: LivenessCheck


@dataclass(frozen=True, slots=True)
class SenderParts:
    """What a sender's process drives: its engine and its liveness checks; and its dotted address, as scanned networks see it."""

    engine: ProbeEngine
    vantage: str
    checks: Checks
    outage: Outage
    way: WayWatch
    departure: Departure | None = None
    """The proof that its frames leave, if its engine has one."""


def ring_sender(context: SenderContext) -> SenderParts:
    """A sender over rings of its own. When the stack is left its RST filter is removed, and a capture written."""
    worker, plan = context.worker, context.plan
    sockets.require_authorised(plan.identity)
    at, ours = egress.probe_source(plan, context.number), slice_of(plan, context.number)
    way, hop = context.stack.enter_context(watched(plan, at, context.watch.permit))
    link = _link(at, hop.mac)
    _require_room(at.interface, link, context.outgoing.request)
    outage = _outage(context, at.interface, way.permit)
    shield = context.stack.enter_context(suppress_resets(at.interface, at.source, _ports(plan), ours))
    capture = None
    if worker.pcap:
        capture = context.stack.enter_context(Capture(_capture_path(worker.pcap, context.number), RAW))
    checks, frame = _checks(worker, ours), template(link)
    extra, arms = _samples(worker, ours)
    probes = ProbeSet(worker.sweep.walk, Secret.of(worker.secret, ours), extra, checks, plan.probe.cooldown)
    rings = open_rings(plan.probe.engine, at.interface, frame, filter_program(link.source, ours, len(link.header)))
    departure = _departure(context, at)
    segments = SegmentSender(rings.segments, link, context.outgoing)
    greeter = Greeter(segments, context.outgoing, context.conversation)
    listener = Listener(probes, rings.receive, segments, greeter, _first_answers(context, arms), capture)

    link_by = lru_cache(1)(_link)

    def before_batch() -> None:
        nonlocal link
        shield.check(lambda: listener.exposed)
        departure.check(time.monotonic(), answered=lambda: _answered(listener), interrupted=outage.down)
        now = link_by(way.at, hop.mac)
        if now != link:
            link = now
            segments.change_link(link)
            engine.change_link(link)

    machine = Machine(outage.permit, before_batch, outage.count)
    ring = WatchedRing(rings.probes, departure)
    engine = PacketEngine(probes, ring, listener, machine=machine, pacer=worker.budget())
    return SenderParts(engine, at.public, checks, outage, way, departure)


def _departure(context: SenderContext, at: ProbeSource) -> Departure:
    """The proof of the plan's engine that frames leave, until the stack is left."""
    watch = candidate(context.plan.probe.engine).proof or Departure.by_counter
    departure = watch(at.interface)
    context.stack.callback(departure.close)
    return departure


def _answered(listener: Listener) -> bool:
    """Whether anybody has answered a probe of an open range."""
    counts = (opened.counts for opened in listener.open.values())
    return any(one.answers or one.resets or one.unreachable for one in counts)


def connect_sender(context: SenderContext) -> SenderParts:
    """A sender over the kernel's TCP, which needs no privilege. Its liveness checks are never sent: they would be bare connections."""
    worker, plan = context.worker, context.plan
    sockets.require_authorised(plan.identity)
    if worker.pcap:
        raise InputError("--pcap", f'needs packet rings; engine = "{plan.probe.engine}" sees no packets')
    at = egress.probe_source(plan, context.number)
    visitor = Visitor(
        egress.opener(at),
        context.outgoing,
        echo=context.echoes,
        tls_ports=frozenset(plan.tls.ports),
    )
    way, hop = context.stack.enter_context(watched(plan, at, context.watch.permit))
    outage = _outage(context, at.interface, way.permit)
    engine = Connector(
        worker.sweep.walk, visitor, permit=outage.permit, pacer=worker.budget(), good_until=lambda: hop.good_until
    )
    context.stack.callback(engine.close)
    return SenderParts(engine, at.public, _checks(worker, slice_of(plan, context.number)), outage, way)


def _outage(context: SenderContext, interface: str, permit: Callable[[], Permit]) -> Outage:
    """The watch over the interface that a sender's probes leave through; `permit` is what register and next hop allow."""
    watch = LinkWatch(interface)
    context.stack.callback(watch.close)
    return Outage(watch, permit)


def make_sender(context: SenderContext) -> SenderParts:
    """The sender of a plan's engine."""
    return ring_sender(context) if context.plan.probe.engine.raw else connect_sender(context)


# --- where it sends from ---


def _link(at: ProbeSource, gateway_mac: str) -> Link:
    """The addresses of a sender's frames, if its next hop has this hardware address, and the MSS that it announces."""
    address = parse(at.source, "key probe.source")[0]
    return Link(at.mac, egress.mac_bytes(gateway_mac) if at.mac else b"", address, mss(at.mtu))


def _require_room(interface: str, link: Link, request: bytes) -> None:
    """Raise InputError unless a request fits one packet."""
    if len(request) > link.mss:
        raise InputError(
            f"interface {interface}",
            f"has an MTU too small for our request: packets carry {link.mss} bytes, and it has {len(request)}; "
            f'raise the MTU, or set engine = "{Engine.CONNECT}" in [probe]',
        )


def slice_of(plan: Plan, sender: int) -> Slice:
    """The source ports of a sender that begins now."""
    return Slice.of(sender, plan.probe.processes, turn=secrets.randbits(SOURCE_PORT_BITS))


def _ports(plan: Plan) -> list[int]:
    """The ports from which answers to our SYNs come."""
    control = {plan.control.port, *(port for _, port in targets(plan.control))}
    return sorted({*plan.settings.ports, *plan.companions.ports, *control})


def _capture_path(path: Path, number: int) -> Path:
    """The capture file of a sender; all but the first have their number before the suffix."""
    return path.with_stem(f"{path.stem}-{number}") if number else path


# --- what it sends ---


def _checks(worker: WorkerContext, ours: Slice) -> Checks:
    """The liveness checks of a sender with these source ports."""
    patience, secret = worker.plan.probe.cooldown, partial(Secret.of, worker.secret, ours)
    return Checks(
        LivenessCheck(secret(ProbeKind.HARM), patience),
        LivenessCheck(secret(ProbeKind.CONFIRMATION), patience),
        LivenessCheck(secret(ProbeKind.CONTROL_TARGET), patience, retransmits=False),
        LivenessCheck(secret(ProbeKind.COMPANION), patience, retransmits=False, takes_resets=True),
    )


def _samples(worker: WorkerContext, ours: Slice) -> tuple[ExtraProbes, HarmArms | None]:
    """The extra probes of a plan, and the arms of its harm check. The samples of extra probes are disjoint."""
    plan, key = worker.plan, worker.secret
    second, control = disjoint_samples(plan.loss.sample, plan.control.sample)
    control_port, plan_port = plan.control.port, plan.settings.ports[0]
    kinds = (
        ExtraProbe(SECOND, Secret.of(key, ours, ProbeKind.SECOND), second, plan.loss.delay),
        ExtraProbe(CONTROL, Secret.of(key, ours, ProbeKind.CONTROL), control, 0.0, control_port, plan_port),
    )
    arms = HarmArms.of(key, plan.harm.sample) if plan.harm else None
    return ExtraProbes(tuple(kind for kind in kinds if kind.sample.size), Secret.derived(key, "choice")), arms


def _first_answers(context: SenderContext, arms: HarmArms | None) -> FirstAnswers:
    """What becomes of targets at their first answer."""
    plan = context.plan

    def log(range_: Range, addresses: U32, ports: NDArray[np.uint16]) -> None:
        context.visit_log.note(range_.shard, range_.number, addresses, ports)

    handed_on = plan.settings.ports if plan.settings.profile.proposes_capabilities else plan.tls.ports
    return FirstAnswers(log, frozenset(handed_on), arms)
