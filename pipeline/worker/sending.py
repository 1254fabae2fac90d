"""The process of a sender: sends the ranges that are assigned, greets hosts that answer, and passes on the results."""

import math
import os
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import zmq
from numpy.typing import NDArray

from pipeline import schema
from pipeline.lake.visit_log import VisitLog
from pipeline.outcome import Arm
from pipeline.probe.engine_events import Controls, Deferred, Finished, Greeted, Responses
from pipeline.probe.result import Result
from pipeline.record.rounds import Round
from pipeline.record.visit import Visit, columns
from pipeline.space.shard import Range
from pipeline.transport import messages
from pipeline.transport.channel import Address, Receiver, Sender
from pipeline.wire.outgoing import Outgoing
from pipeline.worker import rows
from pipeline.worker.context import PROGRESS_SECONDS, WorkerContext
from pipeline.worker.fanout import Fanout
from pipeline.worker.frame_proof import FrameProof
from pipeline.worker.mandate import Mandate
from pipeline.worker.rows import Origin
from pipeline.worker.sender import SenderContext, SenderParts, make_sender
from pipeline.worker.side_tasks import SideTasks, side_tasks

FLUSH_SECONDS = 0.1


class Channels(NamedTuple):
    """From the coordinator; to the coordinator; to the writer and the associators."""

    inbox: Receiver
    coordinator: Sender
    fanout: Fanout


def run_engine(name: str, worker: WorkerContext, context: zmq.Context[zmq.Socket[bytes]], coordinator: Sender) -> None:
    """Run the sender of this name until the coordinator stops it."""
    plan, number = worker.plan, worker.engines.index(name)
    associators = [Sender(context, Address(worker.folder, name)) for name in worker.associators]
    fanout = Fanout(Sender(context, Address(worker.folder, "writer")), associators)
    peers = {
        other: Sender(context, Address(worker.folder, engine))
        for other, engine in enumerate(worker.engines)
        if plan.harm and other != number
    }
    channels = Channels(Receiver(context, Address(worker.folder, name)), coordinator, fanout)
    outgoing = Outgoing.from_json(plan.requests, where="plan, requests")
    with ExitStack() as stack:
        watch = stack.enter_context(worker.watch())
        sender_context = SenderContext(worker, number, outgoing, watch, VisitLog(worker.sweep.paths, name), stack)
        sender = make_sender(sender_context)
        SenderProcess(
            sender_context, sender, channels, side_tasks(sender_context, sender, channels.fanout, coordinator, peers)
        ).run()
    for peer in peers.values():
        peer.close(linger=0)
    channels.inbox.close()
    fanout.close()


def _syn_columns(event: Responses) -> dict[str, NDArray[Any]]:
    """What the SYN-ACKs of targets show, as columns."""
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
    """Takes the coordinator's commands, drives the engine, and passes results to the writer and targets to the associators."""

    context: SenderContext
    sender: SenderParts
    channels: Channels
    tasks: SideTasks
    attempts: dict[tuple[int, int], int] = field(default_factory=dict)
    pending: defaultdict[tuple[int, int], rows.PendingRows] = field(
        default_factory=lambda: defaultdict(rows.PendingRows)
    )
    """Results of each range that have not been flushed."""
    reported_idle: bool = True
    stopped: bool = False
    shown: float = 0.0
    flushed: float = 0.0
    seen: Counter[str] = field(default_factory=Counter)
    origin: Origin = field(init=False)
    mandate: Mandate = field(init=False)
    proof: FrameProof = field(init=False)

    def __post_init__(self) -> None:
        worker_context = self.context.worker
        self.mandate = Mandate.of(worker_context.sweep)
        self.proof = FrameProof(self.sender, self.channels.coordinator, yields=worker_context.yields)
        worker = f"{socket.gethostname()}-{os.getpid()}"
        self.origin = Origin.of(self.context.plan, worker, self.context.outgoing)

    def run(self) -> None:
        """Work until the coordinator stops it and no conversation is open."""
        watch, engine, tasks, outage = self.context.watch, self.sender.engine, self.tasks, self.sender.outage
        while not self.stopped or engine.busy:
            self.obey()
            for event in engine.tick():
                HANDLERS[type(event)](self, event)
            self.proof.look()
            tasks.tick(outage.latest, watch.digest)
            if doubt := self.sender.way.doubt():
                self.channels.coordinator.send(doubt)
            if engine.idle and tasks.second_visits.idle and not self.reported_idle:
                self.reported_idle = True
                self.channels.coordinator.send(messages.Sent(shard=0, number=0, sender=self.context.number))
            self.flush()
            self.show()
        tasks.end(watch.digest)
        self.channels.fanout.stop()

    def obey(self) -> None:
        """Take the coordinator's next command."""
        received = self.channels.inbox.receive(0.0)
        if received and isinstance(task := received[0], messages.Assign | messages.Rows):
            self.channels.coordinator.send(messages.Begun(shard=task.shard, number=task.number))
        match received[0] if received else None:
            case messages.Assign() as task:
                self.assign(task)
                self.reported_idle = False
            case messages.Rows(round=Round.HARM_CHECKS) as task if received and received[1] is not None:
                self.tasks.harm_checks.begin(task, received[1])
            case messages.Rows(round=Round.COMPANIONS) as task if received and received[1] is not None:
                self.tasks.companions.begin(task, received[1])
            case messages.Rows() as task if received and received[1] is not None:
                self.tasks.second_visits.begin(task, received[1])
                self.reported_idle = False
            case messages.Confirm() as request:
                self.tasks.confirmations.begin(request)
            case messages.Confirmed() as confirmed:
                self.tasks.harm_checks.keep_confirmed(confirmed)
            case messages.Shutdown():
                self.stopped = True
                self.sender.engine.stop()

    def assign(self, task: messages.Assign) -> None:
        """Begin a range that the plan has; targets that an earlier attempt has visited are not visited again."""
        self.mandate.require_range(task.shard, task.number, (task.first_index, task.last_index))
        self.attempts[task.shard, task.number] = task.attempt
        self.context.visit_log.open(task.shard, task.number, task.attempt)
        known = sorted(rows.known(self.context.worker.sweep.paths, task.shard, task.number, task.attempt))
        visited = None
        if known:
            self.seen.update(rows.outcomes(self.context.worker.sweep.paths, task.shard, task.number, task.attempt))
            ip, port = zip(*known, strict=True)
            visited = np.array(ip, dtype=np.uint32), np.array(port, dtype=np.uint16)
        self.sender.engine.begin(Range(task.shard, task.number, task.first_index, task.last_index), visited)

    # --- events of the engine ---

    def pass_on(self, event: Responses) -> None:
        """Send targets to the associators, which visit them."""
        self.seen["responsive"] += len(event.answers.address)
        batch = pa.RecordBatch.from_pydict({name: pa.array(column) for name, column in _syn_columns(event).items()})
        self.channels.fanout.targets(self._message(event.range, "responses"), batch)

    def keep_deferred(self, event: Deferred) -> None:
        """Have the writer keep targets that are visited later."""
        self.seen["responsive"] += len(event.answers.address)
        of_range = {"shard": event.range.shard, "range": event.range.number}
        arms = np.where(event.visits_first, str(Arm.VISITED), str(Arm.UNVISITED))
        same = {name: np.full(len(arms), value) for name, value in of_range.items()}
        columns = {**_syn_columns(event), **same, "arm": arms}
        table = schema.table("held").arrow
        arrays = [pa.array(columns[field.name]).cast(field.type) for field in table]
        self.channels.fanout.rows(self._message(event.range, "held"), pa.RecordBatch.from_arrays(arrays, schema=table))

    def keep(self, event: Greeted) -> None:
        """Have the writer keep how visits ended, with the next flush."""
        result, pending = event.result, self.pending[event.range.shard, event.range.number]
        if result.visit is None:
            pending.settled.append(result)
        else:
            pending.talked.append(self._row(event.range, result, result.visit))
        self.seen["responsive"] += result.hosts
        self.seen[str(result.end.outcome)] += result.hosts

    def keep_controls(self, event: Controls) -> None:
        """Have the writer keep addresses that answered where nothing should."""
        answers = event.answers
        answered_at = np.full(len(answers.address), event.answered_at)
        columns = (answers.address, answers.port, answered_at, answers.ttl, answers.window)
        table = schema.table("controls").arrow
        arrays = [pa.array(column).cast(field.type) for column, field in zip(columns, table, strict=True)]
        batch = pa.RecordBatch.from_arrays(arrays, schema=table)
        self.channels.fanout.rows(self._message(event.range, "controls"), batch)

    def finish(self, event: Finished) -> None:
        """Say that no more of a range will come."""
        event, range_ = self.proof.judged(event), event.range
        self.flush(now=True)
        self.context.visit_log.close(range_.shard, range_.number)
        if (control_rows := self.tasks.control_targets.rows()) is not None:
            self.channels.fanout.rows(self._message(range_, "control_targets"), control_rows)
        if event.second_syns is not None and len(event.second_syns.ip):
            batch = pa.RecordBatch.from_pydict(event.second_syns._asdict(), schema=schema.table("second_syns").arrow)
            self.channels.fanout.rows(self._message(range_, "second_syns"), batch)
        digest = self.context.watch.digest
        counts = rows.counts(event.counts, round=Round.PROBES, vantage=self.sender.vantage, register_digest=digest)
        attempt = self.attempts[range_.shard, range_.number]
        self.channels.fanout.cooled(range_.shard, range_.number, attempt, counts, complete=event.complete)

    # --- messages ---

    def _message(self, range_: Range, table: str) -> messages.Rows:
        """The header of rows of a range."""
        attempt = self.attempts[range_.shard, range_.number]
        return messages.Rows(
            shard=range_.shard, number=range_.number, attempt=attempt, table=table, vantage=self.sender.vantage
        )

    def _row(self, range_: Range, result: Result, visit: Visit) -> dict[str, Any]:
        """The row of a host that a conversation was held with."""
        attempt = self.attempts[range_.shard, range_.number]
        of_range = {"shard": range_.shard, "range": range_.number, "attempt": attempt, "round": Round.PROBES}
        origin = self.origin.columns(
            vantage=self.sender.vantage, secured=visit.tls is not None, register_digest=self.context.watch.digest
        )
        return {**columns(visit), **result.syn, **of_range, **origin}

    def flush(self, *, now: bool = False) -> None:
        """Send the pending results to the writer, at most every FLUSH_SECONDS unless it must be now."""
        at = time.monotonic()
        if not now and at - self.flushed < FLUSH_SECONDS:
            return
        self.flushed = at
        for (shard, number), pending in self.pending.items():
            attempt = self.attempts[shard, number]
            for table, batch in pending.tables():
                message = messages.Rows(shard=shard, number=number, attempt=attempt, table=table)
                self.channels.fanout.rows(message, batch)
        self.pending.clear()

    def show(self) -> None:
        """Report progress now and then."""
        now = time.monotonic()
        if now - self.shown > PROGRESS_SECONDS or self.stopped:
            self.shown = now
            engine = self.sender.engine
            counts = {"probed": engine.probes, "suppressed": engine.suppressed, **self.seen}
            permit = self.sender.outage.latest
            paused = permit.pause_reason or self.sender.outage.reason
            limit = 0 if math.isinf(permit.rate) else int(permit.rate)
            stage = self.context.worker.engines[self.context.number]
            self.channels.coordinator.send(messages.Progress(
                shard=0, number=0, stage=stage, counts=counts, pause_reason=paused, limit=limit, register=self.context.watch.digest
            ))  # fmt: skip


#: What is done with each kind of event of the engine.
HANDLERS: dict[type, Callable[[SenderProcess, Any], None]] = {
    Responses: SenderProcess.pass_on,
    Deferred: SenderProcess.keep_deferred,
    Greeted: SenderProcess.keep,
    Controls: SenderProcess.keep_controls,
    Finished: SenderProcess.finish,
}
