"""The writer's process: makes rows durable, journals first, Parquet parts when a range is over."""

from collections import Counter, defaultdict

import msgspec
import pyarrow as pa
import zmq

from pipeline import schema
from pipeline.lake import parts, store
from pipeline.lake.layout import SweepPaths
from pipeline.record.receipt import Counts, Part, joined
from pipeline.transport import messages
from pipeline.transport.channel import Address, Receiver, Sender
from pipeline.worker.context import WorkerContext
from pipeline.worker.rows import took


def run_writer(
    _name: str, context: WorkerContext, zmq_context: zmq.Context[zmq.Socket[bytes]], coordinator: Sender
) -> None:
    """Make rows durable: journals first, Parquet parts when a range is over."""
    inbox = Receiver(zmq_context, Address(context.folder, "writer"))
    journals: dict[tuple[int, int, str], parts.Journal] = {}
    sources = 1 + len(context.associators)  # the engine that sent a range, and the associators
    cooled: defaultdict[tuple[int, int], list[messages.Cooled]] = defaultdict(list)
    stops = 0
    while True:
        received = inbox.receive(parts.COMMIT_SECONDS)
        for journal in journals.values():
            journal.commit()
        match received:
            case (messages.Rows() as message, rows) if rows is not None:
                name = (message.shard, message.number, message.table)
                if name not in journals:
                    path = context.sweep.paths.journal(message.key, message.attempt, message.table)
                    journals[name] = parts.journal(path, message.table)
                journals[name].append(rows)
            case (messages.Cooled() as message, _):
                key_of = (message.shard, message.number)
                cooled[key_of].append(message)
                if len(cooled[key_of]) < sources:
                    continue
                for table in schema.JOURNALED:
                    if (*key_of, table) in journals:
                        journals.pop((*key_of, table)).close()
                coordinator.send(_finish(context.sweep.paths, context.plan.digest, *_joined(cooled.pop(key_of))))
            case (messages.Shutdown(), _):
                stops += 1
                if stops == len(context.engines) + len(context.associators):
                    inbox.close()
                    return


def _joined(ends: list[messages.Cooled]) -> tuple[messages.Cooled, Counts]:
    """Return the end of a range, complete if it is so for its sender and every associator, and the counts of all of them."""
    sender = next(end.counts for end in ends if end.counts is not None)
    return (
        msgspec.structs.replace(ends[0], complete=all(end.complete for end in ends)),
        joined(sender, [end.visits for end in ends]),
    )


def _finish(paths: SweepPaths, plan_digest: str, message: messages.Cooled, counts: Counts) -> messages.Written:
    """End an attempt: write parts from all journals of the range if it is complete, or else only its counts."""
    key = message.key
    written: list[Part] = []
    outcomes: Counter[str] = Counter()
    looks: dict[str, pa.Table] = {}
    if message.complete:
        for table in schema.JOURNALED:
            attempts = range(1, message.attempt + 1)
            rows = parts.tidy((parts.read_journal(paths.journal(key, n, table), table) for n in attempts), table)
            if table == counts.round.visits_table:
                outcomes.update(rows["outcome"].to_pylist())
            if table in ("responses", "second_syns"):
                looks[table] = rows
            if len(rows):
                written.append(
                    parts.write(
                        paths.part(table, f"{key}.{message.attempt}.parquet"),
                        rows,
                        table,
                        paths.id,
                        digest=plan_digest,
                        explained=False,
                    )
                )
        counts.took, counts.took_twice = took(looks["second_syns"], looks["responses"])
    else:
        store.write(paths.attempt(key, message.attempt), msgspec.json.encode(counts))
    return messages.Written(
        shard=message.shard,
        number=message.number,
        attempt=message.attempt,
        complete=message.complete,
        counts=counts,
        outcomes=dict(outcomes),
        parts=tuple(written),
    )
