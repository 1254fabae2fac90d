"""How a sweep is, told from its lake alone."""

import json
import multiprocessing
import os
import pty
import socket
import subprocess
import time
from pathlib import Path

import msgspec
import pytest

from pipeline.lake import receipts, store
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.lake.leases import TTL, Holder, Leases
from pipeline.lake.store import Location
from pipeline.record.receipt import Receipt
from pipeline.space.plan import Plan
from pipeline.status import snapshot as watched
from pipeline.status.snapshot import SweepStatus
from pipeline.sweep import freeze, run
from tests.testbed.running import CENSUS, ROOT

DEMO = ROOT / "data" / "testbed" / "demo-sweep.toml"
PLAN = freeze.freeze(DEMO)


@pytest.fixture
def place(lake: Location) -> SweepPaths:
    """A sweep that was begun."""
    return run.begin(PLAN, lake).paths


def take_and_die(place: SweepPaths, key: str) -> int:
    """Have a process take a lease and end without giving it back; its number."""
    gone = multiprocessing.get_context("spawn").Process(target=_take, args=(place, key))
    gone.start()
    gone.join()
    assert gone.exitcode == 0 and gone.pid
    return gone.pid


def _take(place: SweepPaths, key: str) -> None:
    assert Leases(place).take(key)


def note(place: SweepPaths, *, running: bool, age: float = 0.0, held: str = "") -> None:
    """What a worker noted last."""
    now = time.time() - age
    data = {
        "began": now - 10,
        "updated": now,
        "running": running,
        "counts": {"probed": 5000, "responsive": 9, "echoed": 3},
        "held": held,
    }
    store.write(place.progress / "w.json", json.dumps(data).encode())


def receipt(place: SweepPaths, key: str, **counts: int) -> None:
    """The receipt of a range, as far as a status looks at it."""
    shard, number = map(int, key.split("-"))
    receipts.put_receipt(place, key, Receipt(shard=shard, range=number, **counts))


def state(place: SweepPaths, plan: Plan = PLAN) -> str:
    return watched.status(Sweep(plan, place)).state


def test_each_state_is_told(place: SweepPaths) -> None:
    """Begun, running by a lease or a note, held by the register, stopped in order, dead by a lease or a note, swept."""
    assert state(place) == "begun"
    mine = Leases(place)
    assert mine.take("000")
    assert state(place) == "running"
    mine.drop("000")
    assert state(place) == "begun"
    note(place, running=True)
    assert state(place) == "running"
    note(place, running=True, held="a hospital calls")
    assert state(place) == "held"
    note(place, running=True, age=60)
    assert state(place) == "dead"
    note(place, running=False, age=60)
    assert state(place) == "stopped"
    take_and_die(place, "000")
    assert state(place) == "dead"
    for shard in range(PLAN.settings.shards):
        for chosen in PLAN.walk().ranges(shard):
            receipt(place, chosen.key)
    assert state(place) == "swept"
    store.write(place.sealed("sweeps"), b"")
    assert state(place) == "sealed"


def test_who_holds_which_lease_and_whether_they_live(place: SweepPaths) -> None:
    """A lease lives while it is renewed; one of a dead process here is dead at once, one that was given back is nobody's."""
    mine = Leases(place)
    assert mine.take("000") and mine.take("000-000000") and mine.take("001-000000")
    mine.drop("001-000000")
    take_and_die(place, "002-000000")
    assert [(h.lease, h.alive) for h in watched.status(Sweep(PLAN, place)).holders] == [
        ("000", True), ("000-000000", True), ("002-000000", False),
    ]  # fmt: skip
    receipt(place, "002-000000")
    assert {h.lease for h in watched.status(Sweep(PLAN, place)).holders} == {"000", "000-000000"}


def test_a_lease_that_is_not_renewed_is_dead(tmp_path: Path) -> None:
    """The lease of another machine lives for half its time to live after it was last written."""
    place = run.begin(PLAN, tmp_path).paths
    holder = Holder("w", "elsewhere.example", "another boot/1/1", 7)
    store.write(place.lease("000"), msgspec.json.encode(holder))
    for age, alive in ((1, True), (TTL / 2 + 1, False)):
        os.utime(place.lease("000"), (time.time() - age,) * 2)
        (found,) = watched.status(Sweep(PLAN, place)).holders
        assert (found.alive, found.host, found.renewed_seconds_ago) == (alive, holder.host, pytest.approx(age, abs=2))


def test_rate_loss_and_the_rest(place: SweepPaths) -> None:
    """Rate is of who runs, the rest of the time follows from it, and the loss is the share that only second SYNs found."""
    note(place, running=True)
    receipt(place, "000-000000", probes_sent=1000, seen_twice=95, second_only=5)
    found = watched.status(Sweep(PLAN, place))
    assert found.rate == pytest.approx(500)
    assert found.eta_seconds == pytest.approx((PLAN.targets - 1000) / 500)
    assert found.loss == pytest.approx(0.05)
    assert (found.ranges_done, found.funnel["probed"], found.funnel["echoed"]) == (1, 5000, 3)


def test_what_is_finished_is_told_by_receipts(place: SweepPaths) -> None:
    """Of a sealed sweep the funnel is that of its receipts; what workers had noted of re-run ranges too does not count."""
    note(place, running=False)
    receipt(place, "000-000000", probes_sent=1000, responses=7)
    store.write(place.sealed("sweeps"), b"")
    found = watched.status(Sweep(PLAN, place))
    assert (found.funnel["probed"], found.funnel["responsive"]) == (1000, 7)


def test_a_receipt_is_read_once(place: SweepPaths) -> None:
    """Who looks again reads what is new alone: what was read stays, even if it were gone."""
    look = SweepStatus(Sweep(PLAN, place))
    receipt(place, "000-000000", probes_sent=1000)
    assert look().probes_sent == 1000
    place.receipt("000-000000").unlink()
    receipt(place, "001-000000", probes_sent=50)
    assert look().probes_sent == 1050


def _census(*arguments: str) -> str:
    command = [*CENSUS, *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout


def test_the_command_tells_people_and_programs(place: SweepPaths) -> None:
    """`census status` names state and holders in lines and as JSON, in a folder and in a bucket."""
    pid = take_and_die(place, "000-000000")
    shown = _census("status", str(place.lake))
    assert "dead: its workers stopped renewing their leases" in shown
    assert f"{socket.gethostname()}, process {pid}, dead: renewed " in shown
    told = json.loads(_census("status", str(place.lake), "--json"))
    assert (told["state"], told["holders"][0]["lease"]) == ("dead", "000-000000")


def test_watching_without_a_terminal_prints_lines(tmp_path: Path) -> None:
    """--watch prints a line each time, or an object with --json, and ends with a sweep that is sealed."""
    place = run.begin(PLAN, tmp_path).paths
    command = [*CENSUS, "status", str(place.lake), "--watch"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout and "begun" in watching.stdout.readline()
        watching.terminate()
        assert watching.wait(20) == 130
    store.write(place.sealed("sweeps"), b"")
    assert json.loads(_census("status", str(place.lake), "--watch", "--json"))["state"] == "sealed"


def test_watching_on_a_terminal_is_a_live_view(tmp_path: Path) -> None:
    """On a terminal --watch shows bar, state and funnel, drawn over themselves until the sweep is sealed."""
    place = run.begin(PLAN, tmp_path).paths
    terminal, end = pty.openpty()
    command = [*CENSUS, "status", str(place.lake), "--watch"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=end, env=os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    ) as watching:
        os.close(end)
        seen = _until(terminal, "begun")
        note(place, running=True)
        seen += _until(terminal, "probes/s by 1 workers")
        store.write(place.sealed("sweeps"), b"")
        seen += _until(terminal, "its tables are final")
        assert watching.wait(20) == 0
    os.close(terminal)
    assert "\x1b[1A" in seen and "━" in seen and "echoed" in seen


def _until(terminal: int, words: str) -> str:
    """What a terminal is sent until these words have come."""
    seen = b""
    while words.encode() not in seen:
        seen += os.read(terminal, 65536)
    return seen.decode(errors="replace")
