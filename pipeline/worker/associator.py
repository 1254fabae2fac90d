"""The associator's process: holds one conversation with each target that answered."""

import asyncio
import os
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import zmq

from pipeline.associate import client, loop
from pipeline.associate.limits import AdmissionQueue
from pipeline.errors import GuardError
from pipeline.guard import sockets
from pipeline.lake.visit_log import VisitLog
from pipeline.optout.watch import Watch
from pipeline.record.receipt import VisitCounts
from pipeline.record.rounds import Round
from pipeline.record.visit import columns
from pipeline.space.ranges import Ranges
from pipeline.transport import messages
from pipeline.transport.channel import Address, Receiver, Sender
from pipeline.wire.outgoing import Outgoing
from pipeline.worker import rows
from pipeline.worker.context import PROGRESS_SECONDS, WorkerContext
from pipeline.worker.rows import Origin

FLUSH_SECONDS = 0.1


def run_associator(
    name: str, setting: WorkerContext, context: zmq.Context[zmq.Socket[bytes]], coordinator: Sender
) -> None:
    """Hold one conversation with each target that answered and whose /24 is ours."""
    inbox = Receiver(context, Address(setting.folder, name))
    writer = Sender(context, Address(setting.folder, "writer"))
    sockets.require_authorised(setting.plan.identity)
    outgoing = Outgoing.from_json(setting.plan.requests, where="plan, requests")
    with setting.watch() as watch:
        loop.run(Associating(name, setting, outgoing, watch, inbox, writer, coordinator).run())
    inbox.close()
    writer.close()


@dataclass(slots=True)
class Conversations:
    """The conversations of one attempt at a range."""

    shard: int
    number: int
    attempt: int
    known: set[tuple[int, int]]
    round: Round = Round.PROBES
    vantage: str = ""
    pending: int = 0
    given_up: bool = False
    rows: list[dict[str, Any]] = field(default_factory=list)
    counts: VisitCounts = field(default_factory=VisitCounts)
    cooled: messages.Cooled | None = None


@dataclass(slots=True)
class Associating:
    """The associator's process: targets in, finished conversations out."""

    name: str
    setting: WorkerContext
    outgoing: Outgoing
    watch: Watch
    inbox: Receiver
    writer: Sender
    coordinator: Sender
    origin: Origin = field(init=False)
    open: dict[tuple[int, int], Conversations] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    admissions: AdmissionQueue[tuple[Conversations, dict[str, Any]]] = field(init=False)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    begun: VisitLog = field(init=False)
    stops: int = 0
    flushed: float = 0.0
    shown: float = 0.0

    def __post_init__(self) -> None:
        limits = self.setting.plan.associate
        self.begun = VisitLog(self.setting.sweep.paths, self.name)
        self.admissions = AdmissionQueue(limits.at_once, limits.per_slash24)
        self.origin = Origin.of(self.setting.plan, f"{socket.gethostname()}-{os.getpid()}", self.outgoing)

    @property
    def stopped(self) -> bool:
        """Whether all senders have said that no more will come."""
        return self.stops == len(self.setting.engines)

    async def run(self) -> None:
        """Work until told to stop and nothing is in flight."""
        allowed = Ranges.of(self.setting.plan.ranges)
        while not (self.stopped and not self.open):
            while self.has_room() and (received := self.inbox.receive(0.0)):
                self.take(*received, allowed)
            self.admit()
            await asyncio.sleep(0.005)
            self.raise_failures()
            self.flush()
        self.writer.send(messages.Shutdown(shard=0, number=0))

    def has_room(self) -> bool:
        """More may be taken in: who waits while the register holds all back is at most who answers in a cool-down."""
        return self.admissions.open + len(self.admissions) < self.admissions.at_once or bool(
            self.watch.permit().pause_reason
        )

    def admit(self) -> None:
        """Begin the conversations that wait, as the register allows; asked before each of them."""
        while not (permit := self.watch.permit()).pause_reason or self.stopped:
            taken = self.admissions.take()
            if taken is None:
                return
            address, (batch, row) = taken
            if permit.pause_reason:
                batch.given_up = True
            elif permit.withheld.contains(np.array([address]))[0]:
                batch.counts.suppressed_visits += 1
            else:
                self.tasks.add(asyncio.create_task(self.converse(batch, row)))
                continue
            batch.pending -= 1
            self.admissions.release(address)

    def take(self, message: messages.AnyMessage, targets: pa.RecordBatch | None, allowed: Ranges) -> None:
        """Begin the conversations that a message asks for, or note that a range is over."""
        match message:
            case messages.Rows() if targets is not None:
                if not allowed.contains(np.asarray(targets["ip"])).all():
                    raise GuardError("a target lies outside the plan's space; nothing was sent to it")
                batch = self.range_of(message)
                batch.round, batch.vantage = message.round, message.vantage
                for row in targets.to_pylist():
                    self.begin(batch, row)
            case messages.Cooled():
                self.range_of(message).cooled = message
            case messages.Shutdown():
                self.stops += 1

    def range_of(self, message: messages.Rows | messages.Cooled) -> Conversations:
        """The range that a message speaks of; what earlier attempts at it have visited is not visited again."""
        key = (message.shard, message.number)
        if key not in self.open:
            known = rows.known(self.setting.sweep.paths, message.shard, message.number, message.attempt)
            self.open[key] = Conversations(message.shard, message.number, message.attempt, known)
            self.begun.open(message.shard, message.number, message.attempt)
        return self.open[key]

    def begin(self, batch: Conversations, row: dict[str, Any]) -> None:
        """Let a target wait for its conversation, once."""
        if (row["ip"], row["port"]) in batch.known:
            return
        batch.known.add((row["ip"], row["port"]))
        batch.pending += 1
        self.admissions.add(row["ip"], (batch, row))

    async def converse(self, batch: Conversations, row: dict[str, Any]) -> None:
        """Hold the conversation and keep what came of it."""
        plan, ip, port = self.setting.plan, row["ip"], row["port"]
        self.begun.note(batch.shard, batch.number, np.array([ip]), np.array([port]))
        echo, secured = plan.settings.profile.sends_echo, batch.round is Round.SECOND_VISITS or port in plan.tls.ports
        visit = await client.visit(sockets.tcp_socket, self.outgoing, echo=echo, ip=ip, port=port, over_tls=secured)
        self.admissions.release(row["ip"])
        batch.pending -= 1
        batch.rows.append(row | columns(visit) | self.provenance(batch, row, secured=secured))
        batch.counts.connects += 1
        batch.counts.syn_retransmits += visit.syn_retransmits
        self.outcomes[visit.outcome] += 1

    def provenance(self, batch: Conversations, row: dict[str, Any], *, secured: bool) -> dict[str, Any]:
        """Where a conversation comes from, as columns of `associations` and `tls`."""
        of_batch = {"shard": batch.shard, "range": batch.number, "attempt": batch.attempt, "round": batch.round}
        syn = {"syn_ttl": row.get("ttl"), "syn_window": row.get("window")}
        return (
            of_batch
            | syn
            | self.origin.columns(vantage=batch.vantage, secured=secured, register_digest=self.watch.digest)
        )

    def raise_failures(self) -> None:
        """A conversation that failed by our fault ends the worker: what a peer does never raises."""
        for task in [task for task in self.tasks if task.done()]:
            self.tasks.discard(task)
            task.result()

    def flush(self) -> None:
        """Hand finished conversations to the writer as a group, and ranges that are over after their last one."""
        now = time.monotonic()
        if now - self.flushed < FLUSH_SECONDS:
            return
        self.flushed = now
        for key, batch in list(self.open.items()):
            self.hand_over(batch)
            if batch.cooled and not batch.pending:
                del self.open[key]
                self.begun.close(*key)
                self.writer.send(
                    messages.Cooled(
                        shard=batch.shard, number=batch.number, attempt=batch.attempt,
                        complete=batch.cooled.complete and not batch.given_up, visits=batch.counts,
                    )
                )  # fmt: skip
        if now - self.shown > PROGRESS_SECONDS or self.stopped:
            self.shown = now
            held = self.watch.permit().pause_reason
            seen = {str(name): count for name, count in self.outcomes.items()}
            self.coordinator.send(messages.Progress(shard=0, number=0, stage=self.name, counts=seen, pause_reason=held))

    def hand_over(self, batch: Conversations) -> None:
        """Send the rows that came in since the last time, table by table."""
        finished, batch.rows = batch.rows, []
        for table, its_rows in rows.by_table(finished, round=batch.round):
            message = messages.Rows(shard=batch.shard, number=batch.number, attempt=batch.attempt, table=table)
            self.writer.send(message, its_rows)
