"""The engine's process: sends the ranges that are assigned, greets who answers, and hands on what came of it."""

import os
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import zmq
from numpy.typing import NDArray

from pipeline import schema
from pipeline.lake import harm_targets
from pipeline.lake.visit_log import VisitLog
from pipeline.optout import register
from pipeline.optout.watch import Watch
from pipeline.outcome import Arm
from pipeline.probe.engine import PacketEngine
from pipeline.probe.flow_table import Talked
from pipeline.probe.greeting import Settled
from pipeline.probe.pacer import Pacer
from pipeline.probe.range_state import Connected, Controls, Deferred, Finished, Greeted, Responses
from pipeline.record import columns
from pipeline.space.shard import Range
from pipeline.transport import messages
from pipeline.transport.channel import Address, Receiver, Sender
from pipeline.wire.outgoing import Outgoing
from pipeline.worker import rows
from pipeline.worker.connector import Connector
from pipeline.worker.context import PROGRESS_SECONDS, WorkerContext
from pipeline.worker.control_targets import ControlTargets, targets
from pipeline.worker.fanout import Fanout
from pipeline.worker.harm_checks import HarmChecks
from pipeline.worker.rows import Origin
from pipeline.worker.second_visits import SecondVisits
from pipeline.worker.sender import SENDERS

FLUSH_SECONDS = 0.1


def run_engine(name: str, setting: WorkerContext, context: zmq.Context[zmq.Socket[bytes]], coordinator: Sender) -> None:
    """Send the ranges that are assigned, greet who answers."""
    plan, number = setting.plan, setting.engines.index(name)
    inbox = Receiver(context, Address(setting.folder, name))
    writer = Sender(context, Address(setting.folder, "writer"))
    fanout = Fanout(writer, [Sender(context, Address(setting.folder, name)) for name in setting.associators])
    outgoing = Outgoing.from_json(plan.requests, where="plan, requests")
    with ExitStack() as stack:
        watch = stack.enter_context(setting.watch())
        begun = VisitLog(setting.sweep.paths, name)
        sender = SENDERS[plan.probe.engine](setting, number, outgoing, watch, begun, stack)
        source = sender.source
        second = SecondVisits(fanout, Pacer(plan.tls.rate, time.monotonic()), source)
        checks = HarmChecks(setting.sweep.paths, fanout, sender.asking, plan.harm.delay if plan.harm else 0.0, source)
        asked = targets(plan.control) if number == 0 else []
        control = ControlTargets(
            asked, plan.control.interval, sender.own, register.of(plan.register, setting.sweep.paths.lake)
        )
        origin = Origin.of(plan, f"{socket.gethostname()}-{os.getpid()}", outgoing)
        SenderProcess(
            setting,
            number,
            sender.engine,
            begun,
            watch,
            inbox,
            fanout,
            second,
            checks,
            control,
            coordinator,
            source,
            origin,
        ).run()
    inbox.close()
    fanout.close()


def _told(event: Responses) -> dict[str, NDArray[Any]]:
    """What is known of targets that answered, as columns."""
    answers = event.answers
    return {
        "ip": answers.address,
        "port": answers.port,
        "answered_at": np.full(len(answers.address), event.answered_at),
        "ttl": answers.ttl,
        "window": answers.window,
        "syn_rtt_us": event.rtt_us,
        "syn_options_hash": answers.options,
    }


@dataclass(slots=True)
class SenderProcess:
    """The engine's process: commands in, finished conversations and targets for the associators out."""

    setting: WorkerContext
    number: int
    """Which of the senders this is."""
    engine: PacketEngine | Connector
    begun: VisitLog
    watch: Watch
    inbox: Receiver
    fanout: Fanout
    second: SecondVisits
    checks: HarmChecks
    control: ControlTargets
    coordinator: Sender
    source: str
    origin: Origin
    attempts: dict[tuple[int, int], int] = field(default_factory=dict)
    waiting: defaultdict[tuple[int, int], rows.Waiting] = field(default_factory=lambda: defaultdict(rows.Waiting))
    told: bool = True
    stopped: bool = False
    shown: float = 0.0
    flushed: float = 0.0
    seen: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        """Work until told to stop and no conversation is open."""
        while not self.stopped or self.engine.busy:
            self.command()
            for event in self.engine.tick():
                HANDLERS[type(event)](self, event)
            self.second.tick(self.watch.permit(), self.watch.digest)
            self.checks.tick(self.watch.permit(), self.watch.digest)
            self.control.tick(self.watch.permit())
            if self.engine.idle and self.second.idle and not self.told:
                self.told = True
                self.coordinator.send(messages.Sent(shard=0, number=0, sender=self.number))
            self.flush()
            self.show()
        self.second.end(self.watch.digest)
        self.checks.end(self.watch.digest)
        self.fanout.stop()

    def command(self) -> None:
        """Obey the coordinator's next command."""
        received = self.inbox.receive(0.0)
        match received[0] if received else None:
            case messages.Assign() as task:
                self.assign(task)
                self.told = False
            case messages.Rows(round=harm_targets.ROUND) as task if received and received[1] is not None:
                self.checks.begin(task, received[1])
            case messages.Rows() as task if received and received[1] is not None:
                self.second.begin(task, received[1])
                self.told = False
            case messages.Stop():
                self.stopped = True
                self.engine.stop()

    def assign(self, task: messages.Assign) -> None:
        """Begin a range; whom an earlier attempt has visited is not greeted again."""
        self.attempts[task.shard, task.number] = task.attempt
        self.begun.open(task.shard, task.number, task.attempt)
        visited = sorted(rows.known(self.setting.sweep.paths, task.shard, task.number, task.attempt))
        known = None
        if visited:
            ip, port = zip(*visited, strict=True)
            known = np.array(ip, dtype=np.uint32), np.array(port, dtype=np.uint16)
        self.engine.begin(Range(task.shard, task.number, task.first_index, task.last_index), known)

    def message(self, chosen: Range, table: str) -> messages.Rows:
        """What announces rows of a range."""
        attempt = self.attempts[chosen.shard, chosen.number]
        return messages.Rows(
            shard=chosen.shard, number=chosen.number, attempt=attempt, table=table, vantage=self.source
        )

    def hand_on(self, event: Responses) -> None:
        """Tell the associators whom they are to visit."""
        self.seen["responsive"] += len(event.answers.address)
        batch = pa.RecordBatch.from_pydict({name: pa.array(column) for name, column in _told(event).items()})
        self.fanout.targets(self.message(event.range, "responses"), batch)

    def keep_held(self, event: Deferred) -> None:
        """Have the writer keep who was reset, to be visited later."""
        self.seen["responsive"] += len(event.answers.address)
        same = {"shard": event.range.shard, "range": event.range.number}
        arms = np.where(event.visits_first, str(Arm.VISITED), str(Arm.UNVISITED))
        columns = {**_told(event), **{name: np.full(len(arms), value) for name, value in same.items()}, "arm": arms}
        table = schema.table("held").arrow
        arrays = [pa.array(columns[field.name]).cast(field.type) for field in table]
        self.fanout.rows(self.message(event.range, "held"), pa.RecordBatch.from_arrays(arrays, schema=table))

    def keep(self, event: Greeted) -> None:
        """Have the writer keep what came of conversations: their rows go with the next flush."""
        waiting = self.waiting[event.range.shard, event.range.number]
        result = event.result
        if isinstance(result, Settled):
            outcome, count = result.outcome, len(result.rows)
            waiting.settled.append(result)
        else:
            outcome, count = result.visit.outcome, 1
            waiting.talked.append(self.talked(event.range, result))
        self.seen["responsive"] += count
        self.seen[str(outcome)] += count

    def talked(self, chosen: Range, talked: Talked | Connected) -> dict[str, Any]:
        """The row of a host that was talked with."""
        visit = talked.visit
        attempt = self.attempts[chosen.shard, chosen.number]
        where = {"shard": chosen.shard, "range": chosen.number, "attempt": attempt, "round": 1}
        origin = self.origin.columns(
            vantage=self.source, secured=visit.tls is not None, register_digest=self.watch.digest
        )
        return columns(visit) | talked.syn | where | origin

    def keep_controls(self, event: Controls) -> None:
        """Have the writer keep who answered where nothing should."""
        answers = event.answers
        table = schema.table("controls").arrow
        columns = (
            answers.address,
            answers.port,
            np.full(len(answers.address), event.answered_at),
            answers.ttl,
            answers.window,
        )
        arrays = [pa.array(column).cast(field.type) for column, field in zip(columns, table, strict=True)]
        self.fanout.rows(self.message(event.range, "controls"), pa.RecordBatch.from_arrays(arrays, schema=table))

    def finish(self, event: Finished) -> None:
        """Say that no more of a range will come."""
        chosen = event.range
        self.flush(now=True)
        self.begun.close(chosen.shard, chosen.number)
        if (found := self.control.rows()) is not None:
            self.fanout.rows(self.message(chosen, "control_targets"), found)
        counts = rows.counts(event.counts, round=1, vantage=self.source, register_digest=self.watch.digest)
        attempt = self.attempts[chosen.shard, chosen.number]
        self.fanout.cooled(chosen.shard, chosen.number, attempt, counts, complete=event.complete)

    def flush(self, *, now: bool = False) -> None:
        """Hand conversations to the writer as a group."""
        at = time.monotonic()
        if not now and at - self.flushed < FLUSH_SECONDS:
            return
        self.flushed = at
        for (shard, number), waiting in self.waiting.items():
            for table, batch in waiting.tables():
                message = messages.Rows(shard=shard, number=number, attempt=self.attempts[shard, number], table=table)
                self.fanout.rows(message, batch)
        self.waiting.clear()

    def show(self) -> None:
        """Report progress now and then."""
        now = time.monotonic()
        if now - self.shown > PROGRESS_SECONDS or self.stopped:
            self.shown = now
            counts = {"probed": self.engine.probes, "suppressed": self.engine.suppressed, **self.seen}
            held = self.watch.permit().held
            stage = self.setting.engines[self.number]
            self.coordinator.send(messages.Progress(shard=0, number=0, stage=stage, counts=counts, held=held))


#: What is done with each kind of event of the engine.
HANDLERS: dict[type, Callable[[SenderProcess, Any], None]] = {
    Responses: SenderProcess.hand_on,
    Deferred: SenderProcess.keep_held,
    Greeted: SenderProcess.keep,
    Controls: SenderProcess.keep_controls,
    Finished: SenderProcess.finish,
}
