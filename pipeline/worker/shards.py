"""The shard runner: claims shards at one vantage and runs them, until no range of the sweep is pending.

A shard is run at one vantage at a time. Its ranges have their own leases, but two vantages that shared a shard could visit an
address on two ports at once. So a lease claims the whole shard as well. A worker that failed is replaced, so that a shard
that is tried again finds a working one.
"""

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from contextvars import copy_context
from functools import partial
from pathlib import Path
from types import TracebackType

from pipeline import logs
from pipeline.engines import Engine
from pipeline.errors import CensusError, Interrupted, VanishedError
from pipeline.lake import pending, voiding
from pipeline.lake.layout import Sweep
from pipeline.lake.leases import TTL, Leases, shard_key
from pipeline.optout import continued
from pipeline.plan import timing
from pipeline.record.rounds import Round
from pipeline.worker.context import Remotes
from pipeline.worker.coordinator import Worker
from pipeline.worker.engine_choice import choose, without

#: Seconds between looks whether a shard has ended or become free, or everything shall stop.
LOOK_SECONDS = 0.5
#: Seconds between looks at what is pending while others have claimed all of it: each look lists every receipt.
AGAIN_SECONDS = 2.0
#: Seconds between renewals of claims.
RENEW_SECONDS = TTL / 8
#: Runs a shard in a round, and returns how many ranges were run.
Run = Callable[[Round, int], int]


class ShardRunner:
    """Runs the shards of a sweep. It starts its worker when a shard first needs it. Use it as a context manager."""

    def __init__(self, sweep: Sweep, *, pcap: Path | None = None, remotes: Remotes = ()) -> None:
        self._sweep, self._pcap, self._remotes = sweep, pcap, remotes
        self._worker: Worker | None = None
        self._unable = {} if pcap is None else without(lambda engine: engine.raw, "--pcap needs packet rings")
        self._vanished: dict[Engine, str] = {}
        self._engine = sweep.plan.probe.engine
        self._stopped = False
        self._lock = threading.Lock()
        self._claims = Leases(sweep.paths)
        self._ended = threading.Event()
        self._peace = ExitStack()
        self._again = 0.0
        self._at_once = timing.at_once(sweep.plan)
        voiding.complete(sweep.paths, socket.gethostname())

    def __enter__(self) -> "ShardRunner":
        self._stack = ExitStack()
        self._keeper = threading.Thread(target=self._keep, name="census-claims", daemon=True)
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        self._ended.set()
        self._keeper.join()
        self._peace.close()

    def _end_in_peace(self) -> None:
        """Ignore SIGINT and SIGTERM from now on: no second one must cut short the orderly end that has begun. Prefect sends one
        when it cancels a sweep, and people press Ctrl-C again.
        """
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._peace.callback(signal.signal, number, signal.signal(number, signal.SIG_IGN))

    def run(self, round_: Round, shard: int) -> int:
        """Run the pending ranges of a shard in a round, and return how many were run. Raises what stopped the worker."""
        while True:
            worker = self._living()
            try:
                return worker.run(round_, shard)
            except VanishedError as error:
                self._fall_back(worker, str(error))

    def _fall_back(self, worker: Worker, reason: str) -> None:
        """Rule out the engine of a worker, whose frames have not left, so that the next worker has another."""
        with self._lock:
            if self._worker is worker:
                self._vanished[self._engine] = reason
                self._worker = None

    def stop(self) -> None:
        """Stop in an orderly way, for good: no further probe, conversations in flight are finished and kept."""
        with self._lock:
            self._stopped = True
            if self._worker:
                self._worker.stop()

    def work(self, run: Run | None = None, watch: Callable[[], None] = lambda: None) -> int:
        """Run shards until none is pending, each by `run` if it is given, and return how many ranges were run.

        Several shards run at once, each in a thread. `watch` is called every LOOK_SECONDS. An exception from it, from a signal
        or from a shard ends all shards in an orderly way.
        """
        running: dict[Future[int], int] = {}
        ranges = 0
        with ThreadPoolExecutor(self._at_once, thread_name_prefix="census-shard") as pool:
            try:
                for claimed in self._claimed(running):
                    if claimed:
                        running[pool.submit(copy_context().run, partial(run or self.run, *claimed))] = claimed[1]
                    else:
                        ranges += self._look(running, watch)
                return ranges
            except BaseException:
                self._end_in_peace()
                self.stop()
                raise
            finally:
                self._give_back(running)

    def _claimed(self, running: dict[Future[int], int]) -> Iterator[tuple[Round, int] | None]:
        """Claim pending shards one after another, as (round, shard); yield None while there is nothing to do but wait."""
        while shards := self._pending_shards():
            for round_, shard in shards:
                while len(running) >= self._at_once:
                    yield None
                if shard in running.values() or not self._claims.take(shard_key(shard)):
                    continue
                if round_ is Round.PROBES and pending.is_probed(self._sweep, shard):
                    self._claims.drop(shard_key(shard))  # another vantage has finished it since the list was made
                else:
                    yield round_, shard
            running_before = len(running)
            while len(running) == running_before and time.monotonic() < self._again:
                yield None
        while running:
            yield None

    def _pending_shards(self) -> list[tuple[Round, int]]:
        """List the pending shards, and set when to list them again, so that listing takes at most a tenth of the time."""
        began = time.monotonic()
        shards = pending.pending_shards(self._sweep)
        self._again = time.monotonic() + max(AGAIN_SECONDS, 10 * (time.monotonic() - began))
        return shards

    def _look(self, running: dict[Future[int], int], watch: Callable[[], None]) -> int:
        """Wait a moment for shards to end, and return how many ranges the ended ones have run."""
        if not running:
            time.sleep(LOOK_SECONDS)
        ended = wait(running, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED).done
        self._claims.check()
        watch()
        for future in ended:
            self._claims.drop(shard_key(running.pop(future)))
        return sum(future.result() for future in ended)

    def _keep(self) -> None:
        """Renew claims, however long listing the pending shards takes."""
        while not self._ended.wait(RENEW_SECONDS):
            with suppress(CensusError, OSError):  # `check` raises if this lasts
                self._claims.renew()

    def _give_back(self, running: dict[Future[int], int]) -> None:
        wait(running)
        with suppress(CensusError, OSError):  # a claim that is not given back lapses
            for shard in running.values():
                self._claims.drop(shard_key(shard))

    def _living(self) -> Worker:
        with self._lock:
            if self._stopped:
                raise Interrupted("stopped; run again with --resume to finish the rest")
            if self._worker is None or not self._worker.alive:
                self._worker = self._begin()
            return self._worker

    def _begin(self) -> Worker:
        continued.require(self._sweep)
        self._stack.close()
        plan = self._sweep.plan
        choice = choose(plan, self._unable | self._vanished)
        if choice.plan.probe.engine is not self._engine:
            (logs.warning if self._vanished else logs.info)(f"engine {plan.probe.engine} {choice.sentence}")
        self._engine = choice.plan.probe.engine
        worker = Worker(self._sweep, pcap=self._pcap, remotes=self._remotes, engine=self._engine)
        return self._stack.enter_context(worker)
