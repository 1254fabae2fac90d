"""The coordinator: runs the ranges of shards, each from lease to receipt.

Rules of this file. Only here do the stages of a worker meet, and only here are receipts written. The coordinator's thread alone
assigns ranges and settles them; other threads hand in shards through a queue and wait for their results.

```
coordinator → engines → associators → writer → coordinator
```

What happens to a range:

1. `PendingWork` takes its lease. While another worker has the lease, the range is not run here.
2. `_begin` notes the attempt in the lake and assigns the range to a sender's engine.
3. The engine sends the probes. When it has sent the last (`Sent`), the sender gets its next range, and this one cools down:
   late answers still count. Finished visits go to the writer, answers that need a visit first go to the associators.
4. When a source expects no more of the range, it says so to the writer (`Cooled`). After the last source the writer turns the
   journals into Parquet parts and reports them (`Written`).
5. `_settle` writes the receipt, removes the journals and gives the lease back. The receipt is what makes the range done.

If a process dies, the coordinator raises an error, and the whole worker ends: a range that lacks a part must not get a receipt. If
the worker dies, its leases lapse. Either way another attempt runs the range. It skips the targets whose visits the journals of earlier
attempts have, and the receipt covers all attempts.

A shard belongs to one sender, and holds all ports of its addresses, one port after the other. Two senders in one shard could visit
an address on two ports at once. Later rounds have no order by port; sender 0 runs them, so that one pacer limits them.
"""

import queue
import socket
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

import msgspec
import pyarrow as pa
import zmq

from pipeline import host
from pipeline.engines import Engine
from pipeline.errors import CensusError, Interrupted, VanishedError, failure, of_system
from pipeline.lake import companion_targets, harm_targets, layout, receipts, store
from pipeline.lake.layout import Sweep
from pipeline.lake.leases import Leases
from pipeline.lake.pending import PendingWork
from pipeline.record.rounds import Round
from pipeline.space.shard import Range
from pipeline.transport import messages
from pipeline.transport.channel import Address, Receiver, temporary_folder
from pipeline.worker import room
from pipeline.worker.alarm import HitWatch
from pipeline.worker.context import PROGRESS_SECONDS, Remotes, WorkerContext, require_associators
from pipeline.worker.mandate import Mandate
from pipeline.worker.processes import WorkerProcesses
from pipeline.worker.shard_run import ShardRun
from pipeline.worker.tally import Tally

#: Seconds that a stopped worker may take to finish the conversations in flight.
STOP_SECONDS = 20.0


class Worker:
    """Runs shards of one plan. Use it as a context manager; `run` may be called from several threads."""

    def __init__(
        self, sweep: Sweep, *, pcap: Path | None = None, remotes: Remotes = (), engine: Engine | None = None
    ) -> None:
        require_associators(sweep.plan, remotes)
        room.require_enough(sweep.plan)
        self._mandate = Mandate.proved(sweep)
        self._sweep, self._pcap, self._remotes, self._engine = sweep, pcap, remotes, engine
        self._waiting: queue.Queue[ShardRun] = queue.Queue()
        self._active: list[ShardRun] = []
        self._of_key: dict[str, tuple[ShardRun, Range, float]] = {}
        self._stopping, self._finished = threading.Event(), threading.Event()
        self._error: CensusError | None = None
        self._ending: CensusError = Interrupted("stopped; run again with --resume to finish the rest")
        self._tally, self._hits = Tally(), HitWatch(sweep)
        self._logged = not remotes and (engine or sweep.plan.probe.engine).raw  # the kernel announces no connection
        self._leases, self._room = Leases(sweep.paths), room.Room(sweep.paths.lake, lambda: self._processes.pids)
        self._began, self._pending = host.clock(), PendingWork(sweep, self._leases)

    def __enter__(self) -> "Worker":
        with ExitStack() as opened:
            folder = Path(opened.enter_context(temporary_folder(*(remote.stage for remote in self._remotes))))
            zmq_context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
            opened.callback(zmq_context.term)
            self._inbox = Receiver(zmq_context, Address(folder, "coordinator"))
            opened.callback(self._inbox.close)
            secret = layout.load_secret(self._sweep.paths)
            context = WorkerContext(folder, self._sweep, secret, self._pcap, self._remotes, self._engine)
            self._processes = opened.enter_context(WorkerProcesses(context, zmq_context))
            # What is left open here would be closed by whichever thread collects garbage, and wait for ever there.
            self._opened = opened.pop_all()
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
        self._opened.close()

    def stop(self) -> None:
        """Stop in an orderly way: no further probe, conversations in flight are finished and kept."""
        self._stopping.set()

    @property
    def alive(self) -> bool:
        """Return whether it can still run a shard."""
        return self._thread.is_alive()

    def run(self, round_: Round, number: int) -> int:
        """Run the pending ranges of a shard in a round, and return how many were run. Raises what stopped the worker.

        The shard's earlier rounds must be done.
        """
        ranges = self._pending.of_round(round_, number)
        shard = ShardRun(number, ranges, sender=None if round_ is Round.PROBES else 0)
        self._waiting.put(shard)
        while True:
            try:
                return shard.done.result(timeout=0.2)
            except TimeoutError:
                if not self._thread.is_alive() and not shard.done.done():
                    raise self._error or self._ending from None

    def _begin_following(self, visits: Range) -> None:
        """Begin what follows a range of visits that is done, at once, while other ranges are sent."""
        for following in () if self._stopping.is_set() else self._pending.following(visits):
            self._begin(0, ShardRun(visits.shard, iter(())), *following)

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
            self._receive(0.02)
            self._leases.check()
            self._room.check()
            self._watch_processes()
        self._wind_down()

    def _wind_down(self) -> None:
        """Let the stages finish the conversations in flight; their last messages settle every open range."""
        self._processes.stop()
        until = time.monotonic() + STOP_SECONDS
        while time.monotonic() < until and self._processes.any_alive:
            self._receive(0.05)
        while self._receive(0.0):
            pass

    def _take_shards(self) -> None:
        while not self._waiting.empty():
            self._active.append(self._waiting.get())
        for shard in list(self._active):
            if shard.exhausted and not shard.open:
                self._active.remove(shard)
                shard.done.set_result(shard.finished)

    def _assign_next(self, sender: int) -> None:
        """Assign a sender the next range of a shard that it has, or that has no sender yet."""
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

    def _begin(self, sender: int, shard: ShardRun, range_: Range, targets: pa.Table | None) -> None:
        """Have a sender run a range. It gets no other until this one is sent, unless this one follows visits."""
        self._mandate.require_assigned(range_, of_probes=targets is None)
        attempt = receipts.begin_attempt(self._sweep.paths, range_.key, logged=self._logged)
        shard.open.add(range_.key)
        self._of_key[range_.key] = shard, range_, host.clock()
        number = self._round(range_)
        if targets is None:
            self._processes.send(sender, messages.Assign(
                shard=range_.shard, number=range_.number, first_index=range_.first_index,
                last_index=range_.last_index, attempt=attempt,
            ))  # fmt: skip
        else:
            message = messages.Rows(
                shard=range_.shard, number=range_.number, attempt=attempt, table=number.table, round=number
            )
            self._processes.send(sender, message, targets.combine_chunks().to_batches()[0])
        if number.makes_visits:
            self._idle.discard(sender)

    def _round(self, range_: Range) -> Round:
        """Return the round of a range, by its number."""
        walk, shard = self._sweep.walk, range_.shard
        check, companions = harm_targets.first_number(walk, shard), companion_targets.first_number(walk, shard)
        return Round(1 + sum(range_.number >= first for first in (check - 1, check, companions)))

    def _receive(self, timeout: float) -> bool:
        """Handle one message of the stages, and return whether there was one. Raises what a stage reports."""
        received = self._inbox.receive(timeout)
        if received is None:
            return False
        match received[0]:
            case messages.Begun() as begun:
                self._of_key[begun.key] = (*self._of_key[begun.key][:2], host.clock())
            case messages.Sent(sender=sender):
                self._idle.add(sender)
            case messages.Progress() as progress:
                self._tally.update(*progress.shown)
                self._hits.pause(self._tally.pause_reason())
            case messages.Written() as written:
                self._settle(written)
            case messages.Doubt(since=since, reason=reason):
                self._hits.void(since, reason)
                self._pending.forget()
            case messages.Vanished(reason=reason):
                self._ending = VanishedError(reason)
                self._stopping.set()
            case messages.Failed(reason=reason, exit_code=code):
                raise failure(reason, code)
        return True

    def _settle(self, written: messages.Written) -> None:
        """Write the receipt of a range whose rows are durable, and give its lease back."""
        key = written.key
        shard, planned, began = self._of_key.pop(key)
        if written.complete:
            results = receipts.Results(written.counts, written.outcomes, written.parts, host.clock() - began)
            receipt = receipts.of_range(self._sweep.paths, self._sweep.plan.digest, planned, written.attempt, results)
            self._tally.settle(receipt)
            self._show()  # before the receipt, so that whoever reads both counts the range once
            receipts.put_receipt(self._sweep.paths, key, receipt)
            receipts.forget_attempts(self._sweep.paths, key)
            shard.finished += 1
            if not self._hits.accept(receipt):
                self._pending.forget()
            elif receipt.round.makes_visits:
                self._begin_following(planned)
        shard.open.discard(key)
        self._leases.drop(key)

    def _keep(self) -> None:
        """Renew leases and write progress until the loop is over; if the lake does not answer, try again."""
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
        now, clock = time.time(), host.clock()
        data = {
            "began": now - (clock - self._began),
            "updated": now,
            "clock": clock,
            "running": not self._stopping.is_set(),
            "ended": self._finished.is_set(),
            "holder": self._leases.holder(),
        }
        store.write(
            self._sweep.paths.progress / f"{socket.gethostname()}-{self._leases.worker}.json",
            msgspec.json.encode(data | self._tally.report(now, clock)),
        )

    def _watch_processes(self) -> None:
        if process := self._processes.ended():
            while self._receive(0.1):
                pass
            raise CensusError(f"{process.name} ended with exit code {process.exitcode}; run again with --resume")
