"""Two machines compete for the shards of one sweep in a bucket; one machine is killed, and the other finishes its shards.

Each machine has its own processes, its own host name, a boot clock that is weeks from the other's, and a closed network
with an internet of the same hosts. The machines share only the bucket.
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.lake import bucket as remote
from pipeline.lake import layout, leases, receipts, store
from pipeline.lake.layout import Sweep
from pipeline.sweep import run
from pipeline.views import connection
from tests.chaos.inside import processes
from tests.chaos.machine import TTL
from tests.chaos.run import counts
from tests.chaos.world import World
from tests.lake import bucket
from tests.testbed.running import CENSUS, ROOT

#: Names of the machines, and the offset of each machine's clock in seconds.
MACHINES = {"north": 0, "south": 3_000_000}
#: A busy machine is slow.
pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True, slots=True)
class Shared:
    """A finished sweep of two machines."""

    world: World
    place: layout.SweepPaths
    killed_at: float
    left: set[str]
    """The ranges that the killed machine had when it was killed."""
    receipts: list[receipts.Receipt]
    rows: dict[tuple[int, int], str]
    visits: int
    """Connections that hosts had with both machines."""


@pytest.fixture(scope="module")
def shared(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """The sweep, once `census work` has ended on the surviving machine."""
    folder = tmp_path_factory.mktemp("machines")
    world = World.made(folder, kills=1, senders=1, prefix=20, shards=8)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**bucket.KEYS, "AWS_ENDPOINT_URL": endpoint, "XDG_CACHE_HOME": str(folder)}.items():
            patch.setenv(name, value)
        remote._store.cache_clear()
        lake = bucket.make(endpoint) + "/lake"
        place = layout.SweepPaths(store.at(lake), layout.read_plan(world.plan).sweep)
        with machine(folder, world, lake, "north") as north, machine(folder, world, lake, "south") as south:
            wait_for_both(place)
            os.kill(worker(north.pid), signal.SIGKILL)
            killed_at, left = time.time(), held(place, "north")
            assert north.wait(60) == 128 + signal.SIGKILL
            assert south.wait(400) == 0, (folder / "south.log").read_text()[-3000:]
        said = [counts((folder / f"{name}.log").read_text()) for name in MACHINES]
        with connection.connect(place.lake) as con:
            rows = con.execute("SELECT ip, port, outcome FROM responses").fetchall()
        found = {(ip, port): outcome for ip, port, outcome in rows}
        assert len(found) == len(rows)
        visits = sum(each["visits"] for each in said)
        yield Shared(world, place, killed_at, left, receipts.read_receipts(place), found, visits)


@contextmanager
def machine(folder: Path, world: World, lake: str, name: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A machine of this name that runs `census work` and logs to NAME.log; it is killed at the end."""
    home = folder / name
    home.mkdir()
    apart = ["--pid", "--fork", "--kill-child", "--mount-proc", "--uts", "--time", "--boottime", str(MACHINES[name])]
    stand = ["--spec", str(world.spec), "--outside", "--number", str(list(MACHINES).index(name))]
    work = [sys.executable, "-m", "tests.chaos.machine", name, "work", str(world.plan), "--lake", lake]
    command = ["unshare", *apart, "--", *CENSUS, "testbed", "run", *stand, "--", *work]
    own = os.environ | {"TMPDIR": str(home), "XDG_CACHE_HOME": str(home), "XDG_STATE_HOME": str(home)}
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=own, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def held(place: layout.SweepPaths, name: str) -> set[str]:
    """The ranges whose leases a machine holds."""
    found = leases.observed_leases(place, receipts.finished(place))
    return {lease.key for lease in found if lease.holder.host == name and "-" in lease.key}


def wait_for_both(place: layout.SweepPaths) -> None:
    """Wait until each machine has finished a range and holds another one."""
    done: dict[str, receipts.Receipt] = {}
    while {receipt.host for receipt in done.values()} != MACHINES.keys() or not all(held(place, m) for m in MACHINES):
        time.sleep(0.5)
        receipts.read_new(place, done)


def worker(machine: int) -> int:
    """The process of `census work` among the descendants of a machine's process."""
    below = [machine]
    for parent in below:
        for pid, command in processes(parent):
            if "tests.chaos.machine" in command and "testbed" not in command:
                return pid
            below.append(pid)
    raise AssertionError("it does not run")


def test_every_range_is_done_once(shared: Shared) -> None:
    """Both machines finish ranges, only ranges of the killed machine are begun again, and the rows are the truth."""
    run.require_verified(Sweep.open(shared.place))
    assert shared.rows == shared.world.truth()
    assert Counter(receipt.host for receipt in shared.receipts).keys() == MACHINES.keys()
    again = {f"{r.shard:03d}-{r.range:06d}" for r in shared.receipts if r.attempts > 1}
    assert again and again <= shared.left


def test_the_other_waits_for_the_lease_to_run_out(shared: Shared) -> None:
    """The survivor finishes the killed machine's ranges, but only after the leases were not renewed for their time to live."""
    taken = [receipt for receipt in shared.receipts if receipt.attempts > 1]
    assert {receipt.host for receipt in taken} == {"south"}
    waited = min(receipt.finished_at for receipt in taken) / 1e6 - shared.killed_at
    assert waited > TTL * 7 / 8  # since the last renewal


def test_no_host_is_visited_again(shared: Shared) -> None:
    """Hosts count one visit for each row, and further visits only in ranges that the killed machine had begun.

    Only the killed machine knew the number of further visits, so the receipts leave the number open.
    """
    again = [receipt for receipt in shared.receipts if receipt.attempts > 1]
    assert {receipt.revisited for receipt in again} == {None}
    assert len(shared.rows) <= shared.visits <= len(shared.rows) + sum(receipt.responses for receipt in again)
