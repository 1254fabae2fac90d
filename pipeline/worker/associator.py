"""The associator's process: holds one conversation with each target that answered."""

import asyncio
import math
import os
import socket
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import zmq

from pipeline.associate import client, loop
from pipeline.associate.limits import AdmissionQueue
from pipeline.guard import sockets
from pipeline.guard.link_state import LinkWatch
from pipeline.lake.visit_log import VisitLog
from pipeline.optout.watch import Watch
from pipeline.outcome import CloseKind
from pipeline.probe.loop_lag import LoopLag
from pipeline.probe.outage import Outage
from pipeline.record.receipt import VisitCounts
from pipeline.record.rounds import Round
from pipeline.record.visit import columns
from pipeline.space.permit import Permit
from pipeline.transport import messages
from pipeline.transport.channel import Address, Receiver, Sender
from pipeline.wire.outgoing import Outgoing
from pipeline.worker import egress, open_files, rows
from pipeline.worker.connector import OpenSocket
from pipeline.worker.context import PROGRESS_SECONDS, WorkerContext
from pipeline.worker.mandate import Mandate
from pipeline.worker.rows import Origin
from pipeline.worker.visited import Visited
from pipeline.worker.visited_file import VisitedFile
from pipeline.worker.way_watch import watched

FLUSH_SECONDS = 0.1
#: How long conversations go on before the loop looks for other work, in seconds; and how long it waits where no range is open.
TURN_SECONDS, IDLE_SECONDS = 0.005, 0.02
#: The count of targets that were to be visited again, in an associator's progress.
REFUSED = "refused_visits"


def run_associator(
    name: str, context: WorkerContext, zmq_context: zmq.Context[zmq.Socket[bytes]], coordinator: Sender
) -> None:
    """Hold one conversation with each target that answered, in the /24s of this process."""
    inbox = Receiver(zmq_context, Address(context.folder, name))
    writer = Sender(zmq_context, Address(context.folder, "writer"))
    sockets.require_authorised(context.plan.identity)
    outgoing = Outgoing.from_json(context.plan.requests, where="plan, requests")
    with context.watch() as watch, ExitStack() as stack:
        associating = Associating(name, context, outgoing, watch, inbox, writer, coordinator)
        if name in context.associators:  # one on another machine leaves as its kernel says
            ways = egress.sources(context.plan)
            associating.openers = {at.public: egress.opener(at) for at in ways}
            for at in ways:
                way, _ = stack.enter_context(watched(context.plan, at, watch.permit))
                associating.outages.append(Outage(LinkWatch(at.interface), way.permit))
        loop.run(associating.run())
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
    context: WorkerContext
    outgoing: Outgoing
    watch: Watch
    inbox: Receiver
    writer: Sender
    coordinator: Sender
    openers: dict[str, OpenSocket] = field(default_factory=dict)
    """What opens sockets that leave as the probes of a vantage's sender, by the address that scanned networks see."""
    outages: list[Outage] = field(default_factory=list)
    """Of the interfaces that conversations leave through."""
    origin: Origin = field(init=False)
    open: dict[tuple[int, int], Conversations] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    admissions: AdmissionQueue[tuple[Conversations, dict[str, Any]]] = field(init=False)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    visit_log: VisitLog = field(init=False)
    lag: LoopLag = field(default_factory=LoopLag)
    mandate: Mandate = field(init=False)
    visited: Visited = field(init=False)
    engines: int = field(init=False)
    stops: int = 0
    flushed: float = 0.0
    shown: float = 0.0

    def __post_init__(self) -> None:
        limits, self.engines = self.context.plan.associate, len(self.context.engines)
        self.visit_log = VisitLog(self.context.sweep.paths, self.name)
        kept = None if self.name in self.context.associators else VisitedFile.of(self.context.plan.digest, self.name)
        self.mandate, self.visited = Mandate.of(self.context.sweep), Visited(self.context.sweep.paths, kept)
        at_once = open_files.connections(self.name, limits.at_once, enough=limits.at_once)
        self.admissions = AdmissionQueue(at_once, limits.per_slash24)
        self.origin = Origin.of(self.context.plan, f"{socket.gethostname()}-{os.getpid()}", self.outgoing)

    @property
    def stopped(self) -> bool:
        """Return whether all engines have announced that no more will come."""
        return self.stops == self.engines

    def permit(self) -> Permit:
        """Return what may be sent now: while an interface is down, nothing."""
        permits = [outage.permit() for outage in self.outages]
        return max(permits, key=lambda permit: permit.outage_seconds, default=self.watch.permit())

    async def run(self) -> None:
        """Work until all engines have stopped and nothing is in flight."""
        while not (self.stopped and not self.open):
            while self.has_room() and (received := self.inbox.receive(0.0)):
                self.take(*received)
            self.admit()
            await asyncio.sleep(TURN_SECONDS if self.open else IDLE_SECONDS)
            self.lag.turn(time.monotonic())
            self.raise_failures()
            self.flush()
        self.visited.settle(math.inf)
        self.writer.send(messages.Shutdown(shard=0, number=0))

    def has_room(self) -> bool:
        """Return whether more targets may be taken in.

        While the register pauses everything there is always room: at most the targets that answer in a cool-down are waiting.
        """
        return self.admissions.open + len(self.admissions) < self.admissions.at_once or bool(self.permit().pause_reason)

    def admit(self) -> None:
        """Begin the conversations that wait, and check the register before each of them."""
        while not (permit := self.permit()).pause_reason or self.stopped:
            taken = self.admissions.take()
            if taken is None:
                return
            address, (batch, row) = taken
            if permit.pause_reason:
                self.give_up(batch, row)
            elif permit.withheld.contains(np.array([address]))[0]:
                batch.counts.suppressed_visits += 1
            else:
                self.tasks.add(asyncio.create_task(self.converse(batch, row)))
                continue
            batch.pending -= 1
            self.admissions.release(address)

    def take(self, message: messages.AnyMessage, targets: pa.RecordBatch | None) -> None:
        """Begin the conversations that a message requests, or note that a range is over."""
        match message:
            case messages.Rows() if targets is not None:
                columns_ = np.asarray(targets["ip"]), np.asarray(targets["port"])
                self.mandate.require_visits(message.round, message.shard, message.number, columns_)
                batch = self.range_of(message)
                batch.round, batch.vantage = message.round, message.vantage
                for row in targets.to_pylist():
                    self.begin(batch, row)
            case messages.Cooled():
                self.range_of(message).cooled = message
            case messages.Shutdown():
                self.stops += 1

    def range_of(self, message: messages.Rows | messages.Cooled) -> Conversations:
        """Return the conversations of a message's range; targets that earlier attempts have visited are not visited again."""
        key = (message.shard, message.number)
        if key not in self.open:
            self.mandate.require_range(*key)
            self.visited.begin(*key, len(self.open))
            known = rows.known(self.context.sweep.paths, message.shard, message.number, message.attempt)
            self.visited.arrived(*key, known)
            self.open[key] = Conversations(message.shard, message.number, message.attempt, known)
            self.visit_log.open(message.shard, message.number, message.attempt)
        return self.open[key]

    def begin(self, batch: Conversations, row: dict[str, Any]) -> None:
        """Queue a target for its conversation, once."""
        target = (row["ip"], row["port"])
        if target in batch.known or not self.visited.add(batch.shard, batch.number, target):
            return
        batch.known.add(target)
        batch.pending += 1
        self.admissions.add(row["ip"], (batch, row))

    async def converse(self, batch: Conversations, row: dict[str, Any]) -> None:
        """Hold a conversation and keep its result, unless our own link was down and the host could not be heard.

        Then its range is not complete, and runs again.
        """
        plan, ip, port, began = self.context.plan, row["ip"], row["port"], time.monotonic()
        self.visit_log.note(batch.shard, batch.number, np.array([ip]), np.array([port]))
        self.visited.note(batch.shard, batch.number, (ip, port))
        echo, secured = plan.settings.profile.sends_echo, batch.round is Round.SECOND_VISITS or port in plan.tls.ports
        open_socket = self.openers.get(batch.vantage, sockets.tcp_socket)
        visit = await client.visit(open_socket, self.outgoing, echo=echo, ip=ip, port=port, over_tls=secured)
        self.admissions.release(row["ip"])
        batch.pending -= 1
        if (visit.error or visit.close_kind is CloseKind.DEADLINE) and self.was_cut_off(since=began):
            self.give_up(batch, row)
            return
        batch.rows.append(row | columns(visit) | self.provenance(batch, row, secured=secured))
        batch.counts.connects += 1
        late = visit.close_kind is CloseKind.DEADLINE and self.lag.was_late(began, time.monotonic())
        batch.counts.late_deadlines += late
        batch.counts.syn_retransmits += visit.syn_retransmits
        self.outcomes[visit.outcome] += 1

    def give_up(self, batch: Conversations, row: dict[str, Any]) -> None:
        """Leave a target to a later attempt at its range."""
        batch.given_up = True
        self.visited.forget(batch.shard, batch.number, (row["ip"], row["port"]))

    def was_cut_off(self, *, since: float) -> bool:
        """Return whether an interface was down since then, in seconds of the monotonic clock."""
        return any(outage.cut_off_at >= since for outage in self.outages)

    def provenance(self, batch: Conversations, row: dict[str, Any], *, secured: bool) -> dict[str, Any]:
        """Return the origin of a conversation, as columns of `associations` and `tls`."""
        of_batch = {"shard": batch.shard, "range": batch.number, "attempt": batch.attempt, "round": batch.round}
        syn = {"syn_ttl": row.get("ttl"), "syn_window": row.get("window")}
        return (
            of_batch
            | syn
            | self.origin.columns(vantage=batch.vantage, secured=secured, register_digest=self.watch.digest)
        )

    def raise_failures(self) -> None:
        """Raise the error of a conversation that failed by our fault, which ends the worker. What a peer does never raises."""
        for task in [task for task in self.tasks if task.done()]:
            self.tasks.discard(task)
            task.result()

    def flush(self) -> None:
        """Send finished conversations to the writer as a group, then the end of each range that is over."""
        now = time.monotonic()
        if now - self.flushed < FLUSH_SECONDS:
            return
        self.flushed = now
        for key, batch in list(self.open.items()):
            self.hand_over(batch, now)
            if batch.cooled and not batch.pending:
                del self.open[key]
                self.visit_log.close(*key)
                self.writer.send(
                    messages.Cooled(
                        shard=batch.shard, number=batch.number, attempt=batch.attempt,
                        complete=batch.cooled.complete and not batch.given_up, visits=batch.counts,
                    )
                )  # fmt: skip
        self.visited.settle(now)
        if now - self.shown > PROGRESS_SECONDS or self.stopped:
            self.shown = now
            pause_reason = self.permit().pause_reason
            seen = {str(name): count for name, count in self.outcomes.items()} | {REFUSED: self.visited.refused}
            self.coordinator.send(messages.Progress(
                shard=0, number=0, stage=self.name, counts=seen, pause_reason=pause_reason, register=self.watch.digest
            ))  # fmt: skip

    def hand_over(self, batch: Conversations, now: float) -> None:
        """Send the rows that came in since the last time, table by table."""
        finished, batch.rows = batch.rows, []
        for table, its_rows in rows.by_table(finished, round=batch.round):
            message = messages.Rows(shard=batch.shard, number=batch.number, attempt=batch.attempt, table=table)
            self.writer.send(message, its_rows)
        for row in finished:
            self.visited.report(batch.shard, batch.number, (row["ip"], row["port"]), now)
