"""The writer's process: makes rows durable, journals first, Parquet parts when a range is over."""

from collections import Counter

import msgspec
import zmq

from pipeline.lake import parts, store
from pipeline.lake.store import Sweep
from pipeline.stages.setting import Setting
from pipeline.transport import messages
from pipeline.transport.channel import Address, Receiver, Sender

TABLES = ("responses", "associations", "banners")


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
        store.write(place.attempt(key, message.attempt), msgspec.json.encode(message.counts))
    return messages.Written(
        shard=message.shard,
        number=message.number,
        attempt=message.attempt,
        complete=message.complete,
        counts=message.counts,
        outcomes=dict(outcomes),
        parts=tuple((part.table, part.file, part.rows, part.sha256) for part in written),
    )
