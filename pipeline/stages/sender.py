"""A sender of a plan: where it sends from, its sockets and rings, and what it sends beside the plan's probes.

Senders differ in their source ports, and in their source address where the plan names several. The first of them also sends what
belongs to no range: to the lab's control targets, to hosts of the harm check, and the second visits.
"""

import secrets

import numpy as np
from numpy.typing import NDArray

from pipeline import guard, network
from pipeline.associate.conversation import Conversation
from pipeline.errors import InputError
from pipeline.lake.begun import Begun
from pipeline.pcap import Capture
from pipeline.probe.aside import Aside, Asides
from pipeline.probe.asking import Asking
from pipeline.probe.engine import Engine
from pipeline.probe.greeting import Greeter
from pipeline.probe.harm import Choice
from pipeline.probe.listener import Listener
from pipeline.probe.lot import lots
from pipeline.probe.speaker import Speaker
from pipeline.register import Watch
from pipeline.ring import ReceiveRing, SegmentRing, TransmitRing, filter_program
from pipeline.space.listing import parse
from pipeline.space.plan import Plan
from pipeline.space.ranges import U32
from pipeline.space.shard import Range
from pipeline.stages.setting import Setting
from pipeline.wire.cookie import SOURCE_PORT_BITS, Secret, Slice
from pipeline.wire.outgoing import Outgoing
from pipeline.wire.packet import Link, template

ETH_P_ALL = 3


def vantage(plan: Plan, sender: int = 0) -> tuple[str, Link, str]:
    """Interface, link addresses and dotted source of a sender's probes. Raises GuardError first, then InputError."""
    guard.require_authorised(plan.identity)
    return guard.at_vantage(lambda: _vantage(plan, sender))


def _vantage(plan: Plan, sender: int) -> tuple[str, Link, str]:
    probe = plan.probe
    hop = None if probe.interface and probe.sources and probe.gateway_mac else network.next_hop()
    interface = probe.interface or (hop.interface if hop else "")
    source = probe.sources[sender % len(probe.sources)] if probe.sources else hop.source if hop else ""
    gateway = probe.gateway_mac or (hop.gateway_mac if hop else "")
    if not gateway:
        raise InputError("key probe.gateway_mac", f"the next hop on {interface} has no known address; name it")
    address = parse(source, "key probe.source")[0]
    return interface, Link(_mac(network.mac(interface)), _mac(gateway), address), source


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def slice_of(plan: Plan, sender: int) -> Slice:
    """The source ports of a sender that begins now."""
    return Slice.of(sender, plan.probe.processes, turn=secrets.randbits(SOURCE_PORT_BITS))


def engine_of(
    setting: Setting, ours: Slice, outgoing: Outgoing, interface: str, link: Link, watch: Watch, askings: list[Asking],
    begun: Begun, capture: Capture | None,
) -> Engine:  # fmt: skip
    """The engine of a sender with these source ports, on its interface."""
    plan, frame = setting.plan, template(link)
    echo = plan.settings.profile == "echo"

    def talk(ip: int, port: int, started_at_us: int) -> Conversation:
        return Conversation(outgoing, echo=echo, ip=ip, port=port, started_at_us=started_at_us)

    def begins(chosen: Range, addresses: U32, ports: NDArray[np.uint16]) -> None:
        begun.note(chosen.shard, chosen.number, addresses, ports)

    speaker = Speaker(SegmentRing(guard.packet_socket(interface, 0)), link, outgoing)
    ports = plan.settings.ports if plan.settings.profile == "capabilities" else plan.tls.ports
    walk, secret = plan.walk(), Secret.of(setting.secret, ours)
    asides, choice = _drawn(setting, ours)
    receive = ReceiveRing(guard.packet_socket(interface, ETH_P_ALL), filter_program(link.source, ours))
    greeter = Greeter(speaker, outgoing, talk)
    return Engine(
        walk,
        secret,
        TransmitRing.of_probes(guard.packet_socket(interface, 0), frame),
        Listener(
            walk, secret, receive, speaker, greeter,
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


def _drawn(setting: Setting, ours: Slice) -> tuple[Asides, Choice | None]:
    """The probes beside the plan's own that it wants, and whom its harm check holds back: no target is drawn for two of them."""
    plan, port = setting.plan, setting.plan.settings.ports[0]
    chooser, half = Secret.derived(setting.secret, "choice"), plan.harm.sample / 2 if plan.harm else 0.0
    second, beside, visited, unvisited = lots(plan.loss.sample, plan.control.sample, half, half)
    kinds = (
        Aside.of("second", setting.secret, second, delay=plan.loss.delay, ports=ours),
        Aside.of("control", setting.secret, beside, delay=0.0, port=plan.control.port, beside=port, ports=ours),
    )
    choice = Choice(chooser, visited, unvisited) if plan.harm else None
    return Asides(tuple(aside for aside in kinds if aside.lot.size), chooser), choice
