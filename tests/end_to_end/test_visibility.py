"""Two vantages in namespaces of their own, one of which a filter keeps from a part of the space."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.plan.plan import Plan
from pipeline.sweep import freeze, run
from pipeline.views import connection
from tests.testbed.networks import Network, network
from tests.testbed.running import CENSUS, ROOT, environment, finish

#: Few addresses of each /24: where all of a /24 answer alike, they count as decoys.
TARGETS = [f"11.0.{number}.0/29" for number in range(64)]
SWEEP = """
sweep = { name = "weekly", ports = [104], seed = 1, rate = 1000, profile = "associate" }
targets = { include = TARGETS }
visibility = { vantages = ["one", "two"], sample = 0.5 }
probe = { cooldown = 1.0, engine = "ring" }
"""
#: Aborts the association, as a DICOM service does that serves nobody unknown.
ABORT = bytes.fromhex("07000000000400000200")
BLOCKED = """
table ip block {
  chain forward { type filter hook forward priority 0; ip saddr 10.2.0.5 ip daddr 11.0.0.0/20 drop; }
}
"""


@pytest.fixture
def vantages() -> Iterator[Network]:
    """Vantages `one` (10.1.0.5) and `two` (10.2.0.5), a router that keeps `two` from 11.0.0.0/20, and services in 11.0.0.0/18."""
    with network("one", "two", "router", "world") as made:
        made.link("router", "out", "world", "wr")
        for number, name in enumerate(("one", "two"), 1):
            made.link(name, "m0", "router", f"in{number}")
            made.ip(name, f"address add 10.{number}.0.5/24 dev m0", f"route add default via 10.{number}.0.1 dev m0")
            made.ip("router", f"address add 10.{number}.0.1/24 dev in{number}")
        made.ip("router", "address add 20.1.0.2/30 dev out", "route add default via 20.1.0.1")
        made.ip("world", "address add 20.1.0.1/30 dev wr", *(f"route add local {block} dev lo" for block in TARGETS))
        made.ip("world", "route add default via 20.1.0.2")
        made.route("router")
        made.nft("router", BLOCKED)
        with made.serving("world", ABORT):
            yield made


def swept(file: Path, plan: Plan, folder: Path) -> None:
    """Run a plan into the lake of a folder, from where this process sends: the steps of `census sweep`."""
    command = [*CENSUS, "work", str(file), "--lake", str(folder / "lake")]
    ended = subprocess.run(command, cwd=ROOT, env=environment(folder), capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, ended.stderr[-2000:]
    finish(Sweep(plan, SweepPaths(folder / "lake", plan.sweep)))


def test_what_one_vantage_cannot_see(vantages: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each vantage probes the same half of the space, and the services that `two` misses are those of the blocked /20, to the host."""
    (tmp_path / "sweep.toml").write_text(SWEEP.replace("TARGETS", str(TARGETS)))
    command = [*CENSUS, "plan", str(tmp_path / "sweep.toml"), "-o", str(tmp_path / "plan.json")]
    subprocess.run(command, cwd=ROOT, env=environment(tmp_path), check=True, capture_output=True, timeout=120)
    plan = run.read_plan(tmp_path / "plan.json")
    own = {each.vantage: each for each in freeze.vantage_plans(plan)}
    for name, each in own.items():
        vantages.send_from(name, tmp_path, monkeypatch)
        file = tmp_path / f"plan.{name}.json"
        assert run.read_plan(file) == each
        swept(file, each, tmp_path)
    with connection.connect(tmp_path / "lake") as con:
        found = {
            name: {
                ip for (ip,) in con.execute("SELECT ip FROM exposed_2026_11 WHERE sweep = ?", [each.sweep]).fetchall()
            }
            for name, each in own.items()
        }
        told = con.execute(
            "SELECT vantage_name, seen_any, visible, missed_alone FROM visibility WHERE sweep = ? AND of_all ORDER BY ALL",
            [plan.sweep],
        ).fetchall()
    blocked = {ip for ip in found["one"] if ip >> 12 == 11 << 12}
    assert len(found["one"]) == 256 and 40 < len(blocked) < 90
    assert found["two"] == found["one"] - blocked
    missed = len(blocked)
    assert told == [("one", 256, 256, 0), ("two", 256, 256 - missed, missed)]
