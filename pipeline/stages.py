"""What each process of a worker runs. The stages know nothing of each other: values go in and out through channels."""

import asyncio
import hashlib
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import zmq

from pipeline import guard, network
from pipeline.associate import client
from pipeline.errors import CensusError, GuardError, InputError
from pipeline.lake import parts
from pipeline.lake import store as lake_store
from pipeline.lake.store import Sweep
from pipeline.probe.engine import Engine, Finished, Responses
from pipeline.probe.ring import ReceiveRing, TransmitRing
from pipeline.record import BANNER_LIMIT, Visit
from pipeline.space.listing import parse
from pipeline.space.plan import Plan
from pipeline.space.ranges import Ranges
from pipeline.space.shard import Range
from pipeline.transport import messages
from pipeline.transport.channel import Address, Receiver, Sender
from pipeline.wire.cookie import Secret
from pipeline.wire.outgoing import Outgoing
from pipeline.wire.packet import Link, template

ETH_P_ALL = 3
#: Conversations that are open at once.
CONVERSATIONS = 1000
FLUSH_SECONDS = 0.1
PROGRESS_SECONDS = 0.5
TABLES = ("responses", "associations", "banners")


@dataclass(frozen=True, slots=True)
class Setting:
    """What every process of a worker is given."""

    folder: Path
    plan: Plan
    place: Sweep
    secret: bytes


def run(name: str, setting: Setting) -> None:
    """Run a stage until it is told to stop; what ends it otherwise is reported to the coordinator."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    coordinator = Sender(context, Address(setting.folder, "coordinator"))
    try:
        STAGES[name](setting, context, coordinator)
    except CensusError as error:
        coordinator.send(messages.Failed(shard=0, number=0, reason=str(error), exit_code=error.exit_code))
    except Exception as error:
        coordinator.send(messages.Failed(shard=0, number=0, reason=f"{name}: {error!r}", exit_code=1))
    finally:
        coordinator.close()
        context.term()


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


def run_engine(setting: Setting, context: zmq.Context[zmq.Socket[bytes]], coordinator: Sender) -> None:
    """Send the ranges that are assigned, hand on who answers."""
    plan = setting.plan
    inbox = Receiver(context, Address(setting.folder, "engine"))
    associator = Sender(context, Address(setting.folder, "associator"))
    interface, link, source = vantage(plan)
    frame = template(link)
    engine = Engine(
        plan.walk(),
        Secret.of(setting.secret),
        TransmitRing(guard.packet_socket(interface, 0), frame),
        ReceiveRing(guard.packet_socket(interface, ETH_P_ALL), link.source),
        frame=frame,
        rate=plan.settings.rate,
        cooldown=plan.probe.cooldown,
    )
    Sending(engine, inbox, associator, coordinator, source).run()
    inbox.close()
    associator.close()


@dataclass(slots=True)
class Sending:
    """The engine's process: commands in, answers out."""

    engine: Engine
    inbox: Receiver
    associator: Sender
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
            if self.engine.idle and not self.told:
                self.told = True
                self.coordinator.send(messages.Sent(shard=0, number=0))
            self.show()
        for finished in self.engine.stop():
            self.hand_on(finished)
        self.associator.send(messages.Stop(shard=0, number=0))

    def command(self) -> None:
        """Obey the coordinator's next command."""
        received = self.inbox.receive(0.0)
        match received[0] if received else None:
            case messages.Assign() as task:
                self.attempts[task.shard, task.number] = task.attempt
                self.engine.begin(Range(task.shard, task.number, task.first_index, task.last_index))
                self.told = False
            case messages.Stop():
                self.stopped = True

    def hand_on(self, event: Responses | Finished) -> None:
        """Tell the associator who answered, or that no more answers of a range will come."""
        chosen = event.range
        attempt = self.attempts[chosen.shard, chosen.number]
        if isinstance(event, Finished):
            counts: dict[str, Any] = {**asdict(event.counts), "vantage": self.source}
            self.associator.send(
                messages.Cooled(
                    shard=chosen.shard, number=chosen.number, attempt=attempt, complete=event.complete, counts=counts
                )
            )
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
            ],
            names=["ip", "port", "answered_at", "ttl", "window"],
        )
        message = messages.Rows(shard=chosen.shard, number=chosen.number, attempt=attempt, table="responses")
        self.associator.send(message, rows)

    def show(self) -> None:
        """Report progress now and then."""
        now = time.monotonic()
        if now - self.shown > PROGRESS_SECONDS or self.stopped:
            self.shown = now
            counts = {"probed": self.engine.probes, "responsive": self.seen["responsive"]}
            self.coordinator.send(messages.Progress(shard=0, number=0, stage="engine", counts=counts))


def run_associator(setting: Setting, context: zmq.Context[zmq.Socket[bytes]], coordinator: Sender) -> None:
    """Hold one conversation with each target that answered."""
    inbox = Receiver(context, Address(setting.folder, "associator"))
    writer = Sender(context, Address(setting.folder, "writer"))
    guard.require_authorised(setting.plan.identity)
    outgoing = Outgoing.from_json(setting.plan.requests, where="plan, requests")
    asyncio.run(Associating(setting, outgoing, inbox, writer, coordinator).run())
    inbox.close()
    writer.close()


@dataclass(slots=True)
class Conversations:
    """The conversations of one attempt at a range."""

    shard: int
    number: int
    attempt: int
    known: set[tuple[int, int]]
    pending: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    cooled: messages.Cooled | None = None


@dataclass(slots=True)
class Associating:
    """The associator's process: targets in, finished conversations out."""

    setting: Setting
    outgoing: Outgoing
    inbox: Receiver
    writer: Sender
    coordinator: Sender
    open: dict[tuple[int, int], Conversations] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    stopped: bool = False
    flushed: float = 0.0
    shown: float = 0.0

    async def run(self) -> None:
        """Work until told to stop and nothing is in flight."""
        allowed = Ranges.of(self.setting.plan.ranges)
        while not (self.stopped and not self.open):
            while len(self.tasks) < CONVERSATIONS and (received := self.inbox.receive(0.0)):
                self.take(*received, allowed)
            await asyncio.sleep(0.005)
            self.raise_failures()
            self.flush()
        self.writer.send(messages.Stop(shard=0, number=0))

    def take(self, message: messages.Any, rows: pa.RecordBatch | None, allowed: Ranges) -> None:
        """Begin the conversations that a message asks for, or note that a range is over."""
        match message:
            case messages.Rows() if rows is not None:
                if not allowed.contains(np.asarray(rows["ip"])).all():
                    raise GuardError("a target lies outside the plan's space; nothing was sent to it")
                batch = self.range_of(message)
                for row in rows.to_pylist():
                    self.begin(batch, row)
            case messages.Cooled():
                self.range_of(message).cooled = message
            case messages.Stop():
                self.stopped = True

    def range_of(self, message: messages.Rows | messages.Cooled) -> Conversations:
        """The range that a message speaks of; what earlier attempts at it have visited is not visited again."""
        key = (message.shard, message.number)
        if key not in self.open:
            known: set[tuple[int, int]] = set()
            name = f"{message.shard:03d}-{message.number:06d}"
            for attempt in range(1, message.attempt):
                table = parts.read_journal(self.setting.place.journal(name, attempt, "responses"), "responses")
                known |= set(zip(table["ip"].to_pylist(), table["port"].to_pylist(), strict=True))
            self.open[key] = Conversations(message.shard, message.number, message.attempt, known)
        return self.open[key]

    def begin(self, batch: Conversations, row: dict[str, Any]) -> None:
        """Visit a target, once."""
        if (row["ip"], row["port"]) in batch.known:
            return
        batch.known.add((row["ip"], row["port"]))
        batch.pending += 1
        task = asyncio.create_task(self.converse(batch, row))
        self.tasks.add(task)

    async def converse(self, batch: Conversations, row: dict[str, Any]) -> None:
        """Hold the conversation and keep what came of it."""
        echo = self.setting.plan.settings.profile == "echo"
        visit = await client.visit(guard.tcp_socket, self.outgoing, echo=echo, ip=row["ip"], port=row["port"])
        batch.pending -= 1
        batch.rows.append(row | _columns(visit))
        batch.counts["connects"] += 1
        batch.counts["syn_retransmits"] += visit.syn_retransmits
        self.outcomes[visit.outcome] += 1

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
                counts = batch.cooled.counts | {
                    "connects": batch.counts["connects"],
                    "syn_retransmits": batch.counts["syn_retransmits"],
                }
                self.writer.send(
                    messages.Cooled(
                        shard=batch.shard, number=batch.number, attempt=batch.attempt,
                        complete=batch.cooled.complete, counts=counts,
                    )
                )  # fmt: skip
        if now - self.shown > PROGRESS_SECONDS or self.stopped:
            self.shown = now
            seen = {str(name): count for name, count in self.outcomes.items()}
            self.coordinator.send(messages.Progress(shard=0, number=0, stage="associator", counts=seen))

    def hand_over(self, batch: Conversations) -> None:
        """Send the rows that came in since the last time, table by table."""
        rows, batch.rows = batch.rows, []
        chosen = {
            "responses": rows,
            "associations": [row for row in rows if row["like_dicom"]],
            "banners": [row for row in rows if row["banner"] is not None],
        }
        for table, its_rows in chosen.items():
            if its_rows:
                message = messages.Rows(shard=batch.shard, number=batch.number, attempt=batch.attempt, table=table)
                self.writer.send(message, parts.from_rows(its_rows, table))


def _columns(visit: Visit) -> dict[str, Any]:
    """A conversation as columns of `responses`, `associations` and `banners`."""
    row: dict[str, Any] = msgspec.to_builtins(visit, builtin_types=(bytes,))
    row |= {"raw_truncated": visit.raw_length > len(visit.raw), "raw_sha256": hashlib.sha256(visit.raw).digest()}
    shown = b"" if visit.like_dicom else visit.raw[:BANNER_LIMIT]
    row["bytes"] = shown
    row["banner"] = int.from_bytes(hashlib.sha256(shown).digest()[:8], "big") if shown else None
    return row


def run_writer(setting: Setting, context: zmq.Context[zmq.Socket[bytes]], coordinator: Sender) -> None:
    """Make rows durable: journals first, Parquet parts when a range is over."""
    inbox = Receiver(context, Address(setting.folder, "writer"))
    journals: dict[tuple[int, int, str], parts.Journal] = {}
    while True:
        received = inbox.receive(parts.COMMIT_SECONDS)
        for journal in journals.values():
            journal.commit()
        match received:
            case (messages.Rows() as message, rows) if rows is not None:
                name = (message.shard, message.number, message.table)
                if name not in journals:
                    key = f"{message.shard:03d}-{message.number:06d}"
                    path = setting.place.journal(key, message.attempt, message.table)
                    journals[name] = parts.Journal(path, message.table)
                journals[name].append(rows)
            case (messages.Cooled() as message, _):
                for table in TABLES:
                    if (message.shard, message.number, table) in journals:
                        journals.pop((message.shard, message.number, table)).close()
                coordinator.send(_finish(setting.place, message))
            case (messages.Stop(), _):
                inbox.close()
                return


def _finish(place: Sweep, message: messages.Cooled) -> messages.Written:
    """End an attempt: parts out of all journals of the range if it is complete, its counts beside them if not."""
    key = f"{message.shard:03d}-{message.number:06d}"
    written: list[parts.Part] = []
    outcomes: Counter[str] = Counter()
    if message.complete:
        for table in TABLES:
            attempts = range(1, message.attempt + 1)
            rows = parts.tidy((parts.read_journal(place.journal(key, n, table), table) for n in attempts), table)
            if table == "responses":
                outcomes.update(rows["outcome"].to_pylist())
            if len(rows):
                written.append(parts.write(place.part(table, f"{key}.parquet"), rows, table, place.id))
    else:
        lake_store.write(place.attempt(key, message.attempt), msgspec.json.encode(message.counts))
    return messages.Written(
        shard=message.shard,
        number=message.number,
        attempt=message.attempt,
        complete=message.complete,
        counts=message.counts,
        outcomes=dict(outcomes),
        parts=tuple((part.table, part.file, part.rows, part.sha256) for part in written),
    )


Stage = Callable[[Setting, "zmq.Context[zmq.Socket[bytes]]", Sender], None]
STAGES: dict[str, Stage] = {"engine": run_engine, "associator": run_associator, "writer": run_writer}
