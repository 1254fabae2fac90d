"""The status of a sweep, read from its lake alone."""

import json
import multiprocessing
import os
import pty
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline import host
from pipeline.lake import receipts, store
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.lake.leases import TTL, LeaseHolder, Leases
from pipeline.lake.store import Location
from pipeline.plan import timing
from pipeline.plan.plan import Plan
from pipeline.record.receipt import Receipt
from pipeline.status import snapshot as watched
from pipeline.status.snapshot import SweepStatus
from pipeline.status.workers import GONE_SECONDS
from pipeline.sweep import freeze, run
from tests.testbed.running import CENSUS, ROOT

DEMO = ROOT / "data" / "testbed" / "demo-sweep.toml"
PLAN = freeze.freeze(DEMO)
COUNTED = {"probed": 5000, "responsive": 9, "echoed": 3}


@pytest.fixture
def paths(lake: Location) -> SweepPaths:
    """A sweep that has begun."""
    return run.begin(PLAN, lake).paths


def take_and_die(paths: SweepPaths, key: str) -> int:
    """Have a process take a lease and end without releasing the lease; return the process's pid."""
    gone = multiprocessing.get_context("spawn").Process(target=_take, args=(paths, key))
    gone.start()
    gone.join()
    assert gone.exitcode == 0 and gone.pid
    return gone.pid


def _take(paths: SweepPaths, key: str) -> None:
    assert Leases(paths).take(key)


def note(paths: SweepPaths, *, running: bool, age: float = 0.0, held: str = "", **more: object) -> None:
    """Write the progress of a worker."""
    now = time.time() - age
    data = {
        "began": now - 10,
        "updated": now,
        "running": running,
        "counts": COUNTED,
        "unfinished": COUNTED,
        "held": held,
    }
    store.write(paths.progress / "w.json", json.dumps(data | more).encode())


def receipt(paths: SweepPaths, key: str, **counts: Any) -> None:
    """Write the receipt of a range, with the fields that a status reads."""
    shard, number = map(int, key.split("-"))
    receipts.put_receipt(paths, key, Receipt(shard=shard, range=number, **counts))


def state(paths: SweepPaths, plan: Plan = PLAN) -> str:
    return watched.status(Sweep(plan, paths)).state


def test_each_state_is_recognised(paths: SweepPaths) -> None:
    """Begun, running by a lease or by progress, held by the register, stopped, dead by a lease or by progress, swept, sealed."""
    assert state(paths) == "begun"
    mine = Leases(paths)
    assert mine.take("000")
    assert state(paths) == "running"
    mine.drop("000")
    assert state(paths) == "begun"
    note(paths, running=True)
    assert state(paths) == "running"
    note(paths, running=True, held="a hospital calls")
    assert state(paths) == "held"
    note(paths, running=True, age=60)
    assert state(paths) == "dead"
    note(paths, running=False, age=60)
    assert state(paths) == "stopped"
    take_and_die(paths, "000")
    assert state(paths) == "dead"
    for shard in range(PLAN.settings.shards):
        for range_ in PLAN.walk().ranges(shard):
            receipt(paths, range_.key)
    assert state(paths) == "swept"
    store.write(paths.sealed("sweeps"), b"")
    assert state(paths) == "sealed"


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_makes_nobody_dead(paths: SweepPaths, hours: int) -> None:
    """A worker of this machine that has just reported runs, whatever the wall clock said then; one that has stopped to does not."""
    mine = Leases(paths).holder()
    note(paths, running=True, age=3600.0 * hours, holder=msgspec.to_builtins(mine), clock=host.clock())
    assert state(paths) == "running"
    note(paths, running=True, holder=msgspec.to_builtins(mine), clock=host.clock() - 2 * GONE_SECONDS)
    assert state(paths) == "dead"


def test_leases_have_holders_that_live_or_are_dead(paths: SweepPaths) -> None:
    """A lease is alive while it is renewed. The lease of a dead local process is dead at once; a released lease is not listed."""
    mine = Leases(paths)
    assert mine.take("000") and mine.take("000-000000") and mine.take("001-000000")
    mine.drop("001-000000")
    take_and_die(paths, "002-000000")
    assert [(h.lease, h.alive) for h in watched.status(Sweep(PLAN, paths)).holders] == [
        ("000", True), ("000-000000", True), ("002-000000", False),
    ]  # fmt: skip
    receipt(paths, "002-000000")
    assert {h.lease for h in watched.status(Sweep(PLAN, paths)).holders} == {"000", "000-000000"}


def test_a_damaged_progress_file_hides_nothing(paths: SweepPaths) -> None:
    """A progress file that a power cut has emptied is of a worker that is gone: the sweep has its state all the same."""
    note(paths, running=True)
    store.write(paths.progress / "emptied.json", b"")
    assert state(paths) == "running"


def test_a_lease_that_is_not_renewed_is_dead(tmp_path: Path) -> None:
    """The lease of another machine is alive for half its time to live after the last write."""
    paths = run.begin(PLAN, tmp_path).paths
    holder = LeaseHolder("w", "elsewhere.example", "another boot/1/1", 7)
    store.write(paths.lease("000"), msgspec.json.encode(holder))
    for age, alive in ((1, True), (TTL / 2 + 1, False)):
        os.utime(paths.lease("000"), (time.time() - age,) * 2)
        (lease,) = watched.status(Sweep(PLAN, paths)).holders
        assert (lease.alive, lease.host, lease.renewed_seconds_ago) == (alive, holder.host, pytest.approx(age, abs=2))


def test_rate_loss_and_the_rest(paths: SweepPaths) -> None:
    """Rates and limit are of running workers, and loss is the share that only second SYNs found.

    What is probed is what receipts say, and what a running worker has counted of other ranges.
    """
    note(paths, running=True, rate=480.0, limit=600, unfinished={"probed": 4000, "responsive": 5, "echoed": 3})
    receipt(
        paths, "000-000000", probes_sent=1000, responses=4, took=100, took_twice=95, seen_twice=900, late_deadlines=2
    )
    status = watched.status(Sweep(PLAN, paths))
    assert (status.rate, status.average_rate, status.limit) == (480, pytest.approx(500), 600)
    assert status.loss == pytest.approx(0.05)
    assert (status.ranges_done, status.funnel["probed"], status.funnel["echoes"]) == (1, 5000, 3)
    assert status.hit_rate == pytest.approx(9 / 5000)
    assert status.late_deadlines == 2


def test_the_average_rate_is_that_of_sending(paths: SweepPaths) -> None:
    """The average ends with the last probe, and stays when nobody is at work; workers before a resume are left out."""
    data = {"began": 100.0, "updated": 140.0, "sent_at": 110.0, "counts": {"probed": 5000}}
    store.write(paths.progress / "first.json", json.dumps(data).encode())
    assert watched.status(Sweep(PLAN, paths)).average_rate == pytest.approx(500)
    resumed = data | {"began": 200.0, "updated": 260.0, "sent_at": 220.0}
    for name in ("second", "beside"):
        store.write(paths.progress / f"{name}.json", json.dumps(resumed).encode())
    assert watched.status(Sweep(PLAN, paths)).average_rate == pytest.approx(250 + 250)


def test_what_a_dead_worker_counted_is_not_counted_twice(paths: SweepPaths) -> None:
    """After kill -9 the ranges without a receipt are run again: only the worker that runs now reports them, and never too much."""
    gone = multiprocessing.get_context("spawn").Process(target=_note_and_die, args=(paths,))
    gone.start()
    gone.join()
    assert watched.status(Sweep(PLAN, paths)).funnel["probed"] == 0
    note(paths, running=True, unfinished={"probed": 3000})
    assert watched.status(Sweep(PLAN, paths)).funnel["probed"] == 3000
    note(paths, running=True, unfinished={"probed": PLAN.targets + 1})
    receipt(paths, "000-000000", probes_sent=1000, attempts=3, probes_abandoned=None)
    status = watched.status(Sweep(PLAN, paths))
    assert (status.funnel["probed"], status.ranges_again) == (PLAN.targets, 2)


def _note_and_die(paths: SweepPaths) -> None:
    """Leave the progress of a worker that this process is."""
    holder = msgspec.to_builtins(Leases(paths).holder())
    data = {"updated": time.time(), "running": True, "unfinished": {"probed": 9000}, "holder": holder}
    store.write(paths.progress / "gone.json", json.dumps(data).encode())


def test_nothing_is_done_before_all_is(paths: SweepPaths) -> None:
    """With every target probed, what is left are cool-downs, and less than all is done; only a sweep that is swept is at 100 %."""
    note(paths, running=True, unfinished={"probed": PLAN.targets}, sent_at=time.time() - 1)
    status = watched.status(Sweep(PLAN, paths))
    assert 0.5 < status.share < 1
    assert status.eta_seconds == pytest.approx(timing.cooling(PLAN) - 1, abs=0.5)
    note(paths, running=False)
    for shard in range(PLAN.settings.shards):
        for range_ in PLAN.walk().ranges(shard):
            receipt(paths, range_.key, probes_sent=range_.length)
    status = watched.status(Sweep(PLAN, paths))
    assert (status.state, status.share, status.funnel["probed"]) == ("swept", 1.0, PLAN.targets)


def test_receipts_give_the_counts_of_a_sealed_sweep(paths: SweepPaths) -> None:
    """The funnel of a sealed sweep is that of its receipts; workers' progress, which includes repeated ranges, does not count."""
    note(paths, running=False)
    receipt(paths, "000-000000", probes_sent=1000, responses=7)
    store.write(paths.sealed("sweeps"), b"")
    status = watched.status(Sweep(PLAN, paths))
    assert (status.funnel["probed"], status.funnel["responsive"]) == (1000, 7)


def test_a_receipt_is_read_once(paths: SweepPaths) -> None:
    """Another status reads only new receipts, and forgets one that is gone: its range is to be run again."""
    read = SweepStatus(Sweep(PLAN, paths))
    receipt(paths, "000-000000", probes_sent=1000)
    assert read().probes_sent == 1000
    store.write(paths.receipt("000-000000"), b"it would be refused")
    receipt(paths, "001-000000", probes_sent=50)
    assert read().probes_sent == 1050
    paths.receipt("000-000000").unlink()
    assert read().probes_sent == 50


def _census(*arguments: str) -> str:
    command = [*CENSUS, *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout


def test_the_command_prints_for_people_and_programs(paths: SweepPaths) -> None:
    """`census status` prints state and holders as lines and as JSON, for a folder and for a bucket."""
    pid = take_and_die(paths, "000-000000")
    shown = _census("status", str(paths.lake))
    assert "dead: its workers crashed and stopped renewing their leases" in shown
    assert f"{socket.gethostname()}, process {pid}, dead: renewed " in shown
    document = json.loads(_census("status", str(paths.lake), "--json"))
    assert (document["state"], document["holders"][0]["lease"]) == ("dead", "000-000000")


def test_watching_without_a_terminal_prints_lines(tmp_path: Path) -> None:
    """--watch prints lines, or objects with --json, and ends when the sweep is sealed."""
    paths = run.begin(PLAN, tmp_path).paths
    command = [*CENSUS, "status", str(paths.lake), "--watch"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout and "begun" in watching.stdout.readline()
        watching.terminate()
        assert watching.wait(20) == 130
    store.write(paths.sealed("sweeps"), b"")
    assert json.loads(_census("status", str(paths.lake), "--watch", "--json"))["state"] == "sealed"


def test_watching_on_a_terminal_is_a_live_view(tmp_path: Path) -> None:
    """On a terminal --watch shows bar, state and funnel, redrawn in place until the sweep is sealed."""
    paths = run.begin(PLAN, tmp_path).paths
    terminal, end = pty.openpty()
    command = [*CENSUS, "status", str(paths.lake), "--watch"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=end, env=os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    ) as watching:
        os.close(end)
        seen = _until(terminal, "begun")
        note(paths, running=True, limit=700, unfinished={"probed": 10})
        seen += _until(terminal, "500 on average, by 1 worker ")
        assert "700 probes/s" in seen
        store.write(paths.sealed("sweeps"), b"")
        seen += _until(terminal, "its tables are final")
        assert watching.wait(20) == 0
    os.close(terminal)
    assert "\x1b[1A" in seen and "━" in seen and "answer C-ECHO" in seen


def _until(terminal: int, words: str) -> str:
    """Read from a terminal until these words have appeared."""
    seen = b""
    while words.encode() not in seen:
        seen += os.read(terminal, 65536)
    return seen.decode(errors="replace")
