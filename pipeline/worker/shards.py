"""What one place does of a sweep: shards that are nobody else's, until none is missing.

A shard is run by one place at a time: its ranges have leases of their own, but two places that shared a shard could visit an
address on two ports at once. So the shard as a whole is claimed by a lease too. A worker that failed is replaced, so that a
shard which is tried again finds a living one.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from contextvars import copy_context
from functools import partial
from pathlib import Path
from types import TracebackType

from pipeline.errors import CensusError, Interrupted
from pipeline.lake import pending
from pipeline.lake.layout import Sweep
from pipeline.lake.leases import TTL, Leases, shard_key
from pipeline.record.rounds import Round
from pipeline.worker.context import RemoteAssociator
from pipeline.worker.coordinator import Worker

#: How often to look whether a shard has ended, or become free, or somebody wants all to stop, in seconds.
LOOK_SECONDS = 0.5
#: How often to look again what is missing where all of it is somebody's, in seconds: every receipt is listed then.
AGAIN_SECONDS = 2.0
#: How often claims are renewed, in seconds.
RENEW_SECONDS = TTL / 8
#: Runs a shard in a round; how many ranges that were.
Run = Callable[[Round, int], int]


class ShardRunner:
    """The worker of a plan, begun when a shard first needs it, and the shards that it has. Use it as a context manager."""

    def __init__(self, sweep: Sweep, *, pcap: Path | None = None, remotes: tuple[RemoteAssociator, ...] = ()) -> None:
        self._sweep, self._pcap, self._remotes = sweep, pcap, remotes
        self._worker: Worker | None = None
        self._stopped = False
        self._lock = threading.Lock()
        self._claims = Leases(sweep.paths)
        self._ended = threading.Event()
        self._peace = ExitStack()
        self._again = 0.0
        self._at_once = sweep.plan.probe.processes + 1  # a shard a sender, and one that cools down

    def __enter__(self) -> "ShardRunner":
        self._stack = ExitStack()
        # The processes of a worker die with the thread that started them (stages/process.py): it lives as long as the crew.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="census-starter")
        self._keeper = threading.Thread(target=self._keep, name="census-claims", daemon=True)
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        self._starter.shutdown()
        self._ended.set()
        self._keeper.join()
        self._peace.close()

    def _end_in_peace(self) -> None:
        """From here to the end ignore SIGTERM: who cancelled a sweep by way of Prefect has its process terminated as well,
        and that must not cut short the orderly end which the sweep has begun by itself.
        """
        if threading.current_thread() is threading.main_thread():
            self._peace.callback(signal.signal, signal.SIGTERM, signal.signal(signal.SIGTERM, signal.SIG_IGN))

    def run(self, round_: Round, shard: int) -> int:
        """Run what has no receipt of a shard in a round; how many ranges that were. Raises what stopped the worker."""
        return self._living().run(round_, shard)

    def stop(self) -> None:
        """Stop in an orderly way, for good: no further probe, conversations in flight are finished and kept."""
        with self._lock:
            self._stopped = True
            if self._worker:
                self._worker.stop()

    def work(self, run: Run | None = None, watch: Callable[[], None] = lambda: None) -> int:
        """Run shards until none is missing, each by `run` if it is given; how many ranges that were.

        Several run at once, each in a thread. `watch` is called every LOOK_SECONDS; what it, a signal or a shard raises
        ends all of it in an orderly way.
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
        """Claim (round, shard) after (round, shard) of what is missing; None where one can only wait."""
        while left := self._due():
            for round_, shard in left:
                while len(running) >= self._at_once:
                    yield None
                if shard in running.values() or not self._claims.take(shard_key(shard)):
                    continue
                if round_ is Round.PROBES and pending.is_probed(self._sweep, shard):
                    self._claims.drop(shard_key(shard))  # another place was done with it since the list was made
                else:
                    yield round_, shard
            own = len(running)
            while len(running) == own and time.monotonic() < self._again:
                yield None
        while running:
            yield None

    def _due(self) -> list[tuple[Round, int]]:
        """What is missing, and when to ask that again: no more than a tenth of the time goes into it."""
        began = time.monotonic()
        found = pending.pending_shards(self._sweep)
        self._again = time.monotonic() + max(AGAIN_SECONDS, 10 * (time.monotonic() - began))
        return found

    def _look(self, running: dict[Future[int], int], watch: Callable[[], None]) -> int:
        """Wait a moment for shards to end; the ranges of those that have."""
        if not running:
            time.sleep(LOOK_SECONDS)
        ended = wait(running, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED).done
        self._claims.check()
        watch()
        for future in ended:
            self._claims.drop(shard_key(running.pop(future)))
        return sum(future.result() for future in ended)

    def _keep(self) -> None:
        """Renew claims, however long the lake takes to tell what is missing."""
        while not self._ended.wait(RENEW_SECONDS):
            with suppress(CensusError, OSError):  # `check` ends it all if this lasts
                self._claims.renew()

    def _give_back(self, running: dict[Future[int], int]) -> None:
        wait(running)
        with suppress(CensusError, OSError):  # what could not be given back lapses
            for shard in running.values():
                self._claims.drop(shard_key(shard))

    def _living(self) -> Worker:
        with self._lock:
            if self._stopped:
                raise Interrupted("stopped; run again with --resume to finish the rest")
            if self._worker is None or not self._worker.alive:
                self._worker = self._starter.submit(self._begin).result()
            return self._worker

    def _begin(self) -> Worker:
        self._stack.close()
        return self._stack.enter_context(Worker(self._sweep, pcap=self._pcap, remotes=self._remotes))
