"""One worker: takes ranges, runs them from lease to receipt. The only place where the stages meet.

Processes joined by channels: engines send and hear answers, associators hold conversations, the writer makes them durable. The
coordinator, here, hands out ranges and writes receipts.

```
coordinator → engines → associators → writer → coordinator
```
"""

import queue
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import msgspec
import pyarrow as pa
import zmq

from pipeline.errors import CensusError, InputError, Interrupted, failure, of_system
from pipeline.lake import harm_targets, layout, receipts, store
from pipeline.lake.layout import Sweep
from pipeline.lake.leases import Leases
from pipeline.lake.pending import PendingRange, PendingWork
from pipeline.record.rounds import Round
from pipeline.space.shard import Range
from pipeline.transport import messages
from pipeline.transport.channel import Address, Receiver
from pipeline.worker.alarm import HitWatch
from pipeline.worker.context import PROGRESS_SECONDS, RemoteAssociator, WorkerContext
from pipeline.worker.processes import WorkerProcesses

#: How long a stopped worker may take to finish the conversations that are in flight, in seconds.
STOP_SECONDS = 20.0


@dataclass(slots=True)
class Shard:
    """A shard that somebody waits for. One sender sends all of it, so that no address is visited on two ports at once."""

    number: int
    ranges: Iterator[PendingRange | None]
    done: Future[int] = field(default_factory=Future)
    sender: int | None = None
    """Which sender it is; the first that takes one of its ranges. What belongs to no sender's range is the first one's."""
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
    """Runs shards of one plan. Use it as a context manager; `run` may be called from several threads."""

    def __init__(self, sweep: Sweep, *, pcap: Path | None = None, remotes: tuple[RemoteAssociator, ...] = ()) -> None:
        if not sweep.plan.associate.processes and not remotes:
            raise InputError(
                "key associate.processes",
                "is 0 and no --associator was given, so nothing can open associations; "
                "set it to 1 or more, or pass --associator NAME=URL",
            )
        self._sweep, self._pcap, self._remotes = sweep, pcap, remotes
        self._waiting: queue.Queue[Shard] = queue.Queue()
        self._active: list[Shard] = []
        self._of_key: dict[str, tuple[Shard, Range]] = {}
        self._stopping = threading.Event()
        self._finished = threading.Event()
        self._error: CensusError | None = None
        self._tally = Tally()
        self._hits = HitWatch(sweep)
        # A kernel that connects does not say which of its connections will stand.
        self._logged = not remotes and sweep.plan.probe.engine.raw
        self._leases = Leases(sweep.paths)
        self._began = time.time()
        self._remaining = PendingWork(sweep, self._leases)

    def __enter__(self) -> "Worker":
        self._folder = tempfile.TemporaryDirectory(prefix="census-")
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        folder = Path(self._folder.name)
        self._inbox = Receiver(self._context, Address(folder, "coordinator"))
        secret = layout.load_secret(self._sweep.paths)
        setting = WorkerContext(folder, self._sweep, secret, self._pcap, self._remotes)
        self._processes = WorkerProcesses(setting, self._context)
        self._idle = set(self._processes.senders)
        self._thread = threading.Thread(target=self._guarded_loop, name="census-coordinator")
        self._keeper = threading.Thread(target=self._keep, name="census-keeper")
        self._thread.start()
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._thread.join()
        self._keeper.join()
        self._processes.end()
        self._inbox.close()
        self._context.term()
        self._folder.cleanup()

    def stop(self) -> None:
        """Stop in an orderly way: no further probe, conversations in flight are finished and kept."""
        self._stopping.set()

    @property
    def alive(self) -> bool:
        """Whether it can still run a shard."""
        return self._thread.is_alive()

    def run(self, round_: Round, number: int) -> int:
        """Run what has no receipt of a shard in a round; how many ranges that were. Raises what stopped the worker.

        The shard's rounds before this one must be done.
        """
        left = self._remaining
        ranges = left.of_round(round_, number)
        shard = Shard(number, ranges, sender=None if round_ is Round.PROBES else 0)
        self._waiting.put(shard)
        while True:
            try:
                return shard.done.result(timeout=0.2)
            except TimeoutError:
                if not self._thread.is_alive() and not shard.done.done():
                    raise self._error or Interrupted("stopped; run again with --resume to finish the rest") from None

    def _begin_check(self, visits: Range) -> None:
        """A range of visits is done: its harm check begins at once, beside whatever else is sent."""
        found = None if self._stopping.is_set() else self._remaining.check(visits)
        if found:
            self._begin(0, Shard(visits.shard, iter(())), *found)

    def _guarded_loop(self) -> None:
        try:
            self._loop()
        except CensusError as error:
            self._error = error
        except OSError as error:
            self._error = CensusError(of_system("the worker", error))
        except Exception as error:
            self._error = CensusError(f"the worker failed: {error!r}")
        if self._error:
            self._processes.stop()
        self._finished.set()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._take_shards()
            for sender in sorted(self._idle):
                self._assign_next(sender)
            self._hear(0.02)
            self._leases.check()
            self._watch_processes()
        self._wind_down()

    def _wind_down(self) -> None:
        """Let the stages finish what is in flight; their last messages settle every open range."""
        self._processes.stop()
        until = time.monotonic() + STOP_SECONDS
        while time.monotonic() < until and self._processes.any_alive:
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

    def _assign_next(self, sender: int) -> None:
        """Give a sender the next range of a shard that is its own, or nobody's yet."""
        for shard in self._active:
            if shard.sender not in (None, sender):
                continue
            try:
                following = None if shard.exhausted else next(shard.ranges)
            except StopIteration:
                shard.exhausted = True
                continue
            if following is None:
                continue
            shard.sender = sender
            self._begin(sender, shard, *following)
            return

    def _begin(self, sender: int, shard: Shard, chosen: Range, targets: pa.Table | None) -> None:
        """Have a sender run a range; it may be given others beside a harm check, and none beside any other until that is sent."""
        attempt = receipts.begin_attempt(self._sweep.paths, chosen.key, logged=self._logged)
        shard.open.add(chosen.key)
        self._of_key[chosen.key] = shard, chosen
        number = self._round(chosen)
        if targets is None:
            assign = messages.Assign(
                shard=chosen.shard, number=chosen.number, first_index=chosen.first_index,
                last_index=chosen.last_index, attempt=attempt,
            )  # fmt: skip
            self._processes.tell(sender, assign)
        else:
            message = messages.Rows(
                shard=chosen.shard, number=chosen.number, attempt=attempt, table=number.table, round=number
            )
            self._processes.tell(sender, message, targets.combine_chunks().to_batches()[0])
        if number is not Round.HARM_CHECKS:
            self._idle.discard(sender)

    def _round(self, chosen: Range) -> Round:
        """Which round a range is of: probes, second visits, harm checks, in the order of their numbers."""
        first = harm_targets.first_number(self._sweep.walk, chosen.shard)
        return Round(1 + (chosen.number >= first - 1) + (chosen.number >= first))

    def _hear(self, timeout: float) -> bool:
        received = self._inbox.receive(timeout)
        if received is None:
            return False
        match received[0]:
            case messages.Sent(sender=sender):
                self._idle.add(sender)
            case messages.Progress(counts=counts, stage=stage, pause_reason=held):
                self._tally.update(stage, counts, held)
            case messages.Written() as written:
                self._settle(written)
            case messages.Failed(reason=reason, exit_code=code):
                raise failure(reason, code)
        return True

    def _settle(self, written: messages.Written) -> None:
        """A range's rows are durable: give the receipt and the lease back."""
        key = written.key
        shard, planned = self._of_key.pop(key)
        if written.complete:
            results = receipts.Results(written.counts, written.outcomes, written.parts)
            receipt = receipts.of_range(self._sweep.paths, self._sweep.plan.digest, planned, written.attempt, results)
            receipts.put_receipt(self._sweep.paths, key, receipt)
            for path in store.entries(self._sweep.paths.work / "journal", f"{key}.*"):
                path.unlink(missing_ok=True)
            shard.finished += 1
            if written.counts.round != Round.HARM_CHECKS:
                self._begin_check(planned)
            if written.counts.round == Round.PROBES:
                self._hits.see(planned, written.counts)
        shard.open.discard(key)
        self._leases.drop(key)

    def _keep(self) -> None:
        """Renew leases and tell progress until the loop is over; a lake that does not answer is tried again."""
        renewed = 0.0
        while not self._finished.wait(PROGRESS_SECONDS):
            with suppress(CensusError, OSError):  # `check` ends the worker if this lasts
                if time.monotonic() - renewed > self._leases.ttl / 8:
                    self._leases.renew()
                    renewed = time.monotonic()
                self._show()
        with suppress(CensusError, OSError):
            for key in self._of_key:
                self._leases.drop(key)
            self._show()

    def _show(self) -> None:
        data = {
            "began": self._began,
            "updated": time.time(),
            "running": not self._stopping.is_set(),
            "counts": self._tally.total(),
            "held": next((reason for reason in self._tally.held.values() if reason), ""),
        }
        store.write(
            self._sweep.paths.progress / f"{socket.gethostname()}-{self._leases.worker}.json", msgspec.json.encode(data)
        )

    def _watch_processes(self) -> None:
        if process := self._processes.ended():
            while self._hear(0.1):
                pass
            raise CensusError(f"{process.name} ended with exit code {process.exitcode}; run again with --resume")
