"""A shard is run by one worker at a time, and workers that share a lake run each missing shard once between them."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from pipeline.errors import Interrupted
from pipeline.lake import leases, pending, receipts
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.lake.leases import Leases, shard_key
from pipeline.lake.store import Location
from pipeline.plan import timing
from pipeline.plan.plan import Plan
from pipeline.record.receipt import Receipt
from pipeline.record.rounds import Round
from pipeline.sweep import freeze
from pipeline.worker.shards import ShardRunner

CONFIG = """
sweep = { name = "shared", ports = [104], seed = 1, rate = 10, shards = 12 }
targets = { include = ["11.0.0.0/24"] }
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = tmp_path_factory.mktemp("plan")
    (folder / "sweep.toml").write_text(CONFIG)
    return freeze.freeze(folder / "sweep.toml", folder)


def finish(plan: Plan, paths: SweepPaths, shard: int) -> int:
    """Write the receipts of all ranges of a shard; return their number."""
    for count, chosen in enumerate(plan.walk().ranges(shard), 1):
        receipts.put_receipt(paths, chosen.key, Receipt())
    return count


def alive(paths: SweepPaths) -> list[str]:
    return [lease.key for lease in leases.observed_leases(paths, ())]


def test_all_that_is_missing_is_run_once(plan: Plan, lake: Location) -> None:
    """Two workers that share a lake run each missing shard once, end when no shard is missing, and give all leases back."""
    paths, ran = SweepPaths(lake, plan.sweep), []

    def work(round_: int, shard: int) -> int:
        assert round_ == 1
        time.sleep(0.05)
        ran.append(shard)
        return finish(plan, paths, shard)

    def share() -> None:
        with ShardRunner(Sweep(plan, paths)) as crew:
            counts.append(crew.work(work))

    counts: list[int] = []
    finish(plan, paths, 7)
    threads = [threading.Thread(target=share) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(ran) == [shard for shard in range(12) if shard != 7]
    assert sum(counts) == sum(1 for shard in ran for _ in plan.walk().ranges(shard))
    assert alive(paths) == []


def test_a_shard_that_is_somebodys_is_waited_for(plan: Plan, tmp_path: Path) -> None:
    """A shard that another worker holds is left to it, and is run here once it is given back unfinished."""
    paths, other = SweepPaths(tmp_path, plan.sweep), Leases(SweepPaths(tmp_path, plan.sweep))
    assert other.take(shard_key(3))
    ran: list[int] = []

    def work(_round: int, shard: int) -> int:
        ran.append(shard)
        return finish(plan, paths, shard)

    def watch() -> None:
        if len(ran) == 11:
            other.drop(shard_key(3))

    with ShardRunner(Sweep(plan, paths)) as crew:
        crew.work(work, watch)
    assert ran[-1] == 3 and len(ran) == 12
    assert pending.pending_shards(Sweep(plan, paths)) == []


@pytest.mark.parametrize("fault", [Interrupted("x"), KeyboardInterrupt()])
def test_who_watches_can_end_it(plan: Plan, tmp_path: Path, fault: BaseException) -> None:
    """An error of the watcher ends the work: running shards are waited for, none is begun, and every claim is given back."""
    paths, watched = SweepPaths(tmp_path, plan.sweep), threading.Event()
    ran: list[int] = []

    def work(_round: int, shard: int) -> int:
        ran.append(shard)
        return int(watched.wait(10))

    def watch() -> None:
        watched.set()
        raise fault

    with ShardRunner(Sweep(plan, paths)) as crew, pytest.raises(type(fault)):
        crew.work(work, watch)
    assert sorted(ran) == list(range(timing.at_once(plan)))
    assert alive(paths) == []
    with pytest.raises(Interrupted):
        crew.run(Round.PROBES, 5)


def test_what_a_shard_raises_ends_the_work(plan: Plan, tmp_path: Path) -> None:
    """A shard that fails ends the work with its error, and its claim is given back."""
    paths = SweepPaths(tmp_path, plan.sweep)

    def work(_round: int, shard: int) -> int:
        raise OSError(f"shard {shard}")

    with ShardRunner(Sweep(plan, paths)) as crew, pytest.raises(OSError, match=r"shard \d"):
        crew.work(work)
    assert alive(paths) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_sweep_that_is_told_twice_to_end_ends_in_order(plan: Plan, tmp_path: Path, number: signal.Signals) -> None:
    """A signal while a sweep is ending does not cut the end short: the leases are given back, and the handler is restored."""
    paths, drained = SweepPaths(tmp_path, plan.sweep), threading.Event()

    def terminated(*_: object) -> None:
        raise SystemExit("terminated")

    def work(_round: int, _shard: int) -> int:
        drained.wait(30)
        return 0

    def watch() -> None:
        raise Interrupted("cancelled")

    def terminate() -> None:
        os.kill(os.getpid(), number)
        drained.set()

    before = signal.signal(number, terminated)
    threading.Timer(1.0, terminate).start()
    try:
        with pytest.raises(Interrupted), ShardRunner(Sweep(plan, paths)) as crew:
            crew.work(work, watch)
        assert signal.getsignal(number) is terminated
    finally:
        signal.signal(number, before)
    assert alive(paths) == []
