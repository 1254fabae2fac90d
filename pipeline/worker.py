"""One worker: takes ranges, runs them from lease to receipt. The only place where the stages meet.

Three processes, joined by channels: the engine sends and hears answers, the associator holds the conversations, the writer
makes them durable. The coordinator, here, hands out ranges and writes receipts.

```
coordinator → engine → associator → writer → coordinator
```
"""

import multiprocessing
import queue
import socket
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
import pyarrow as pa
import zmq

from pipeline import optout, register, version
from pipeline.alarm import Alarm, Hits, port_of
from pipeline.errors import CensusError, GuardError, InputError, Interrupted
from pipeline.lake import harm, receipts, second, store
from pipeline.lake.store import Sweep
from pipeline.space.plan import Plan
from pipeline.space.shard import Range
from pipeline.stages.process import names, run
from pipeline.stages.setting import PROGRESS_SECONDS, Setting
from pipeline.transport import messages
from pipeline.transport.channel import Address, Receiver, Sender

#: How long a stopped worker may take to finish the conversations that are in flight, in seconds.
STOP_SECONDS = 20.0
#: The table that a range of each round is about.
ROUNDS = {1: "responses", 2: "tls", 3: "harm"}
_ERRORS: dict[int, Callable[[str], CensusError]] = {2: partial(InputError, "worker"), 3: GuardError}


@dataclass(slots=True)
class Shard:
    """A shard that somebody waits for."""

    number: int
    ranges: Iterator[tuple[Range, pa.Table | None]]
    done: Future[int]
    open: set[str] = field(default_factory=set)
    finished: int = 0
    exhausted: bool = False


@dataclass(slots=True)
class Tally:
    """What a worker has seen since it began, for people to watch."""

    counts: Counter[str] = field(default_factory=Counter)
    parts: dict[str, dict[str, int]] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)

    def update(self, source: str, counts: dict[str, int], held: str) -> None:
        """Take the latest counts of a process, and why the register holds it back if it does."""
        self.parts[source] = counts
        self.held[source] = held

    def total(self) -> dict[str, int]:
        """All processes' counts."""
        return dict(sum((Counter(counts) for counts in self.parts.values()), Counter()))


class Worker:
    """Runs shards of one plan. Use it as a context manager; `run_shard` may be called from several threads."""

    def __init__(self, plan: Plan, place: Sweep, *, pcap: Path | None = None) -> None:
        self._plan, self._place, self._pcap = plan, place, pcap
        self._walk = plan.walk()
        self._waiting: queue.Queue[Shard] = queue.Queue()
        self._active: list[Shard] = []
        self._of_key: dict[str, tuple[Shard, Range]] = {}
        self._stopping = threading.Event()
        self._error: CensusError | None = None
        self._tally = Tally()
        self._alarm = Alarm.of(plan.alarm, self._walk)
        #: Ranges of the third round that are open, by shard.
        self._checks: defaultdict[int, set[str]] = defaultdict(set)
        self._id = f"{socket.gethostname()}-{id(self):x}"
        self._engine_idle = True
        self._renewed = self._shown = 0.0

    def __enter__(self) -> "Worker":
        self._folder = tempfile.TemporaryDirectory(prefix="census-")
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        folder = Path(self._folder.name)
        self._inbox = Receiver(self._context, Address(folder, "coordinator"))
        secret = store.load_secret(self._place)
        setting = Setting(folder, self._plan, self._place, secret, self._pcap)
        context = multiprocessing.get_context("spawn")
        self._processes = [
            context.Process(target=run, args=(name, setting), name=f"census-{name}", daemon=True)
            for name in names(self._plan)
        ]
        for process in self._processes:
            process.start()
        self._engine = Sender(self._context, Address(folder, "engine"))
        self._thread = threading.Thread(target=self._guarded_loop, name="census-coordinator")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._thread.join()
        for process in self._processes:
            process.join(5)
            if process.is_alive():
                process.kill()
                process.join()
        self._engine.close()
        self._inbox.close()
        self._context.term()
        self._folder.cleanup()

    def stop(self) -> None:
        """Stop in an orderly way: no further probe, conversations in flight are finished and kept."""
        self._stopping.set()

    def run_shard(self, number: int) -> int:
        """Run the ranges of a shard that have no receipt; how many that were. Raises what stopped the worker."""
        return self._run(Shard(number, self._missing(number), Future()))

    def run_second(self, number: int) -> int:
        """Make the second visits of a shard whose first round is done, if they have no receipt; otherwise as `run_shard`."""
        return self._run(Shard(number, self._missing_second(number), Future()))

    def run_checks(self, number: int) -> int:
        """Wait for the harm checks of a shard, and make those that have no receipt; otherwise as `run_shard`."""
        return self._run(Shard(number, self._missing_checks(number), Future(), open=self._checks[number]))

    def _run(self, shard: Shard) -> int:
        self._waiting.put(shard)
        while True:
            try:
                return shard.done.result(timeout=0.2)
            except TimeoutError:
                if not self._thread.is_alive() and not shard.done.done():
                    raise self._error or Interrupted("stopped; --resume finishes the rest") from None

    def _missing(self, number: int) -> Iterator[tuple[Range, None]]:
        done = receipts.finished(self._place)
        for chosen in self._walk.ranges(number):
            if chosen.key not in done and receipts.take_lease(self._place, chosen.key):
                yield chosen, None

    def _missing_second(self, number: int) -> Iterator[tuple[Range, pa.Table]]:
        found = second.of_shard(self._place, self._plan, self._walk, number)
        due = found is not None and found[0].key not in receipts.finished(self._place)
        if found and due and receipts.take_lease(self._place, found[0].key):
            yield found

    def _missing_checks(self, number: int) -> Iterator[tuple[Range, pa.Table]]:
        done = receipts.finished(self._place)
        for visits in second.ranges(self._plan, self._walk, number):
            found = harm.of_range(self._place, self._plan, self._walk, visits) if visits.key in done else None
            if found and found[0].key not in done and receipts.take_lease(self._place, found[0].key):
                yield found

    def _begin_check(self, visits: Range) -> None:
        """A range of visits is done: its harm check begins at once, beside whatever else is sent."""
        found = harm.of_range(self._place, self._plan, self._walk, visits)
        if found and receipts.take_lease(self._place, found[0].key):
            self._begin(Shard(visits.shard, iter(()), Future(), open=self._checks[visits.shard]), *found)

    def _guarded_loop(self) -> None:
        try:
            self._loop()
        except CensusError as error:
            self._error = error
        except Exception as error:
            self._error = CensusError(f"the worker failed: {error!r}")
        for key in self._of_key:
            receipts.drop_lease(self._place, key)
        self._show()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._take_shards()
            if self._engine_idle:
                self._assign_next()
            self._hear(0.02)
            self._keep_leases()
            self._watch_processes()
        self._wind_down()

    def _wind_down(self) -> None:
        """Let the stages finish what is in flight; their last messages settle every open range."""
        self._engine.send(messages.Stop(shard=0, number=0))
        until = time.monotonic() + STOP_SECONDS
        while time.monotonic() < until and any(process.is_alive() for process in self._processes):
            self._hear(0.05)
        while self._hear(0.0):
            pass

    def _take_shards(self) -> None:
        while not self._waiting.empty():
            self._active.append(self._waiting.get())
        for shard in list(self._active):
            if shard.exhausted and not shard.open:
                self._active.remove(shard)
                shard.done.set_result(shard.finished)

    def _assign_next(self) -> None:
        for shard in self._active:
            following = None if shard.exhausted else next(shard.ranges, None)
            if following is None:
                shard.exhausted = True
                continue
            self._engine_idle = self._begin(shard, *following)
            return

    def _begin(self, shard: Shard, chosen: Range, targets: pa.Table | None) -> bool:
        """Have the engine run a range; whether it may be given another one meanwhile."""
        attempt = receipts.begin_attempt(self._place, chosen.key)
        shard.open.add(chosen.key)
        self._of_key[chosen.key] = shard, chosen
        number = self._round(chosen)
        if targets is None:
            self._engine.send(
                messages.Assign(
                    shard=chosen.shard, number=chosen.number, first_index=chosen.first_index,
                    last_index=chosen.last_index, attempt=attempt,
                )
            )  # fmt: skip
        else:
            message = messages.Rows(
                shard=chosen.shard, number=chosen.number, attempt=attempt, table=ROUNDS[number], round=number
            )
            self._engine.send(message, targets.combine_chunks().to_batches()[0])
        return number == harm.ROUND

    def _round(self, chosen: Range) -> int:
        """Which round a range is of: probes, second visits, harm checks, in the order of their numbers."""
        first = harm.first_number(self._walk, chosen.shard)
        return 1 + (chosen.number >= first - 1) + (chosen.number >= first)

    def _hear(self, timeout: float) -> bool:
        received = self._inbox.receive(timeout)
        if received is None:
            return False
        match received[0]:
            case messages.Sent():
                self._engine_idle = True
            case messages.Progress(counts=counts, stage=stage, held=held):
                self._tally.update(stage, counts, held)
            case messages.Written() as written:
                self._settle(written)
            case messages.Failed(reason=reason, exit_code=code):
                raise _ERRORS.get(code, CensusError)(reason)
        return True

    def _settle(self, written: messages.Written) -> None:
        """A range's rows are durable: give the receipt and the lease back."""
        key = f"{written.shard:03d}-{written.number:06d}"
        shard, planned = self._of_key.pop(key)
        if written.complete:
            receipts.put_receipt(self._place, key, self._receipt(key, planned, written))
            for path in (self._place.work / "journal").glob(f"{key}.*"):
                path.unlink()
            shard.finished += 1
            if written.counts["round"] != harm.ROUND:
                self._begin_check(planned)
            if written.counts["round"] == 1:
                self._watch_hits(planned, written.counts)
        shard.open.discard(key)
        receipts.drop_lease(self._place, key)

    def _watch_hits(self, done: Range, counts: Mapping[str, Any]) -> None:
        """Stop all who obey the register if this range's hit rate says that something is wrong with us."""
        port = port_of(self._walk, done)
        if port is None or not self._plan.alarm.false_alarms:
            return
        reason = self._alarm.add(port, Hits(counts["probes_sent"], counts["answers"] - counts["duplicates"]))
        if reason:
            kept = register.of(self._plan.register, self._place.lake)
            optout.stop(kept, "census", f"{reason}; `census go {kept.where}` lets it go on")

    def _receipt(self, key: str, planned: Range, written: messages.Written) -> receipts.Receipt:
        earlier = receipts.earlier_attempts(self._place, key, written.attempt)
        rows = {table: count for table, _, count, _ in written.parts}
        return {
            "shard": written.shard,
            "range": written.number,
            "first_index": planned.first_index,
            "last_index": planned.last_index,
            "plan_digest": self._plan.digest,
            "code_version": version.code(),
            "host": socket.gethostname(),
            "attempts": written.attempt,
            "finished_at": time.time_ns() // 1000,
            "probes_abandoned": sum(counts.get("probes_sent", 0) for counts in earlier),
            "revisited": 0 if all(earlier) else None,
            "responses": rows.get("responses", 0),
            "associations": rows.get("associations", 0),
            "handshakes": rows.get("tls", 0),
            "control_answers": rows.get("controls", 0),
            "harm_checks": rows.get("harm", 0),
            "harm_probes": 0,
            "outcomes": [{"outcome": name, "targets": n} for name, n in sorted(written.outcomes.items())],
            "parts": [{"table": t, "file": f, "rows": n, "sha256": h} for t, f, n, h in written.parts],
            **written.counts,
            "held_back": rows.get("held", 0),
        }

    def _keep_leases(self) -> None:
        now = time.monotonic()
        if now - self._renewed > receipts.LEASE_SECONDS / 8:
            self._renewed = now
            lost = [key for key in self._of_key if not receipts.renew_lease(self._place, key)]
            if lost:
                raise CensusError(f"the lease of range {lost[0]} was taken over by another worker; this one stops")
        if now - self._shown > PROGRESS_SECONDS:
            self._shown = now
            self._show()

    def _show(self) -> None:
        data = {
            "updated": time.time(),
            "running": not self._stopping.is_set(),
            "counts": self._tally.total(),
            "held": next((reason for reason in self._tally.held.values() if reason), ""),
        }
        store.write(self._place.progress / f"{self._id}.json", msgspec.json.encode(data))

    def _watch_processes(self) -> None:
        for process in self._processes:
            if not process.is_alive():
                while self._hear(0.1):
                    pass
                raise CensusError(f"{process.name} ended with exit code {process.exitcode}; --resume finishes the rest")


def work(plan: Plan, place: Sweep, shards: list[int], *, pcap: Path | None = None) -> int:
    """Run shards one after another, each overlapping the cool-down of the one before; how many ranges were run."""
    with Worker(plan, place, pcap=pcap) as worker, ThreadPoolExecutor(max_workers=2) as pool:
        try:
            rounds = (worker.run_shard, worker.run_second, worker.run_checks)
            return sum(sum(pool.map(each, shards)) for each in rounds)
        except BaseException:
            worker.stop()
            raise
