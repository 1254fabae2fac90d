"""The engine's process: sends the ranges that are assigned, hands on who answers."""

import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import zmq

from pipeline import guard, network
from pipeline.errors import InputError
from pipeline.probe.engine import Engine, Finished, Responses
from pipeline.probe.pacer import Pacer
from pipeline.probe.ring import ReceiveRing, TransmitRing
from pipeline.register import Watch
from pipeline.space.listing import parse
from pipeline.space.plan import Plan
from pipeline.space.shard import Range
from pipeline.stages.fanout import Fanout
from pipeline.stages.second import SecondVisits
from pipeline.stages.setting import PROGRESS_SECONDS, Setting, associator_names
from pipeline.transport import messages
from pipeline.transport.channel import Address, Receiver, Sender
from pipeline.wire.cookie import Secret
from pipeline.wire.packet import Link, template

ETH_P_ALL = 3


def vantage(plan: Plan) -> tuple[str, Link, str]:
    """Interface, link addresses and dotted source of the probes. Raises GuardError first, then InputError."""
    guard.require_authorised(plan.identity)
    probe = plan.probe
    hop = None if probe.interface and probe.source and probe.gateway_mac else network.next_hop()
    interface = probe.interface or (hop.interface if hop else "")
    source = probe.source or (hop.source if hop else "")
    gateway = probe.gateway_mac or (hop.gateway_mac if hop else "")
    if not gateway:
        raise InputError("key probe.gateway_mac", f"the next hop on {interface} has no known address; name it")
    address = parse(source, "key probe.source")[0]
    return interface, Link(_mac(network.mac(interface)), _mac(gateway), address), source


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def run_engine(_name: str, setting: Setting, context: zmq.Context[zmq.Socket[bytes]], coordinator: Sender) -> None:
    """Send the ranges that are assigned, hand on who answers."""
    plan = setting.plan
    inbox = Receiver(context, Address(setting.folder, "engine"))
    fanout = Fanout([Sender(context, Address(setting.folder, name)) for name in associator_names(plan)])
    interface, link, source = vantage(plan)
    frame = template(link)
    with setting.watch() as watch:
        engine = Engine(
            plan.walk(),
            Secret.of(setting.secret),
            TransmitRing(guard.packet_socket(interface, 0), frame),
            ReceiveRing(guard.packet_socket(interface, ETH_P_ALL), link.source),
            permit=watch.permit,
            frame=frame,
            rate=plan.settings.rate,
            cooldown=plan.probe.cooldown,
        )
        second = SecondVisits(fanout, Pacer(plan.tls.rate, time.monotonic()), source)
        Sending(engine, watch, inbox, fanout, second, coordinator, source).run()
    inbox.close()
    fanout.close()


@dataclass(slots=True)
class Sending:
    """The engine's process: commands in, answers out."""

    engine: Engine
    watch: Watch
    inbox: Receiver
    fanout: Fanout
    second: SecondVisits
    coordinator: Sender
    source: str
    attempts: dict[tuple[int, int], int] = field(default_factory=dict)
    told: bool = True
    stopped: bool = False
    shown: float = 0.0
    seen: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        """Work until told to stop."""
        while not self.stopped:
            self.command()
            for event in self.engine.tick():
                self.hand_on(event)
            self.second.tick(held=bool(self.watch.permit().held), register_digest=self.watch.digest)
            if self.engine.idle and self.second.idle and not self.told:
                self.told = True
                self.coordinator.send(messages.Sent(shard=0, number=0))
            self.show()
        for finished in self.engine.stop():
            self.hand_on(finished)
        self.second.end(self.watch.digest)
        self.fanout.stop()

    def command(self) -> None:
        """Obey the coordinator's next command."""
        received = self.inbox.receive(0.0)
        match received[0] if received else None:
            case messages.Assign() as task:
                self.attempts[task.shard, task.number] = task.attempt
                self.engine.begin(Range(task.shard, task.number, task.first_index, task.last_index))
                self.told = False
            case messages.Rows() as task if received and received[1] is not None:
                self.second.begin(task, received[1])
                self.told = False
            case messages.Stop():
                self.stopped = True

    def hand_on(self, event: Responses | Finished) -> None:
        """Tell the associators who answered (all of a /24 go to the same one), or that no more answers of a range will come."""
        chosen = event.range
        attempt = self.attempts[chosen.shard, chosen.number]
        if isinstance(event, Finished):
            counts: dict[str, Any] = {
                **asdict(event.counts),
                "round": 1,
                "vantage": self.source,
                "register_digest": self.watch.digest,
            }
            self.fanout.cooled(chosen.shard, chosen.number, attempt, counts, complete=event.complete)
            return
        answers = event.answers
        self.seen["responsive"] += len(answers.address)
        rows = pa.RecordBatch.from_arrays(
            [
                pa.array(answers.address),
                pa.array(answers.port),
                pa.array(np.full(len(answers.address), event.answered_at)),
                pa.array(answers.ttl),
                pa.array(answers.window),
                pa.array(event.rtt_us),
                pa.array(answers.options),
            ],
            names=["ip", "port", "answered_at", "ttl", "window", "syn_rtt_us", "syn_options_hash"],
        )
        message = messages.Rows(
            shard=chosen.shard, number=chosen.number, attempt=attempt, table="responses", vantage=self.source
        )
        self.fanout.targets(message, rows)

    def show(self) -> None:
        """Report progress now and then."""
        now = time.monotonic()
        if now - self.shown > PROGRESS_SECONDS or self.stopped:
            self.shown = now
            counts = {"probed": self.engine.probes, "responsive": self.seen["responsive"]}
            counts["suppressed"] = self.engine.suppressed
            held = self.watch.permit().held
            self.coordinator.send(messages.Progress(shard=0, number=0, stage="engine", counts=counts, held=held))
