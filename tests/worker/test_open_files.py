"""Workers under limits of open files, as a service manager or a shell sets them."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from pipeline.lake import layout, verify
from pipeline.views import connection
from tests.testbed.running import CENSUS, ROOT, environment, frozen

#: Some 1,230 hosts that complete connections on every port and then say nothing.
SPEC = """
[internet]
seed = 7

[[internet.block]]
addresses = ["11.0.0.0/21"]
density = 0.6
country = "GB"
mix = { silent = 1 }
"""
SWEEP = """
sweep = { name = "files", ports = [PORT], seed = 1, rate = 4000, shards = 1 }
targets = { include = ["TARGETS"] }
probe = { cooldown = 1.0, engine = "ENGINE", source = "198.18.0.1" }
associate = { at_once = 2000, per_slash24 = 256 }
loss = { sample = 0.0 }
alarm = { false_alarms = 0.0 }
"""


@dataclass
class Ended:
    """A worker that has ended."""

    code: int
    errors: str
    lake: Path

    @property
    def silent(self) -> int:
        """How many hosts were visited and said nothing."""
        assert list(verify.faults(layout.open_sweep(self.lake, None))) == []
        with connection.connect(self.lake) as con:
            (row,) = con.execute("SELECT count(*) FROM responses WHERE outcome = 'silent'").fetchall()
        return int(row[0])


def work(folder: Path, limits: str, *, port: int = 2762, targets: str = "11.0.0.0/21", engine: str = "ring") -> Ended:
    """Run a sweep whose processes may open this many files (`SOFT:HARD`)."""
    (folder / "spec.toml").write_text(SPEC)
    config = SWEEP.replace("PORT", str(port)).replace("TARGETS", targets).replace("ENGINE", engine)
    (folder / "sweep.toml").write_text(config)
    frozen(folder / "sweep.toml", folder / "plan.json")
    testbed = [*CENSUS, "testbed", "run", "--spec", str(folder / "spec.toml"), "--", "prlimit", f"--nofile={limits}"]
    command = [*testbed, *CENSUS, "work", str(folder / "plan.json"), "--lake", str(folder / "lake")]
    ended = subprocess.run(command, cwd=ROOT, env=environment(folder), capture_output=True, text=True, timeout=200)
    return Ended(ended.returncode, ended.stderr, folder / "lake")


def test_the_soft_limit_is_raised(tmp_path: Path) -> None:
    """With Linux's soft limit of 1,024 files, more than that many silent hosts are visited at once."""
    ended = work(tmp_path, "1024:8192")
    assert ended.code == 0, ended.errors
    assert "warning" not in ended.errors
    assert ended.silent > 1200


def test_a_low_hard_limit_lowers_at_once(tmp_path: Path) -> None:
    """Where the hard limit is lower than `at_once`, fewer conversations are held at a time, and one line says so."""
    ended = work(tmp_path, "256:256", targets="11.0.0.0/23")
    assert ended.code == 0, ended.errors
    assert "associator-0 holds 160 connections at a time, not 2,000" in ended.errors
    assert ended.silent > 250


def test_engine_connect_works_with_few_files(tmp_path: Path) -> None:
    """Engine `connect` makes as many connections as it may, and says that its rate needs more."""
    ended = work(tmp_path, "256:256", port=104, targets="11.0.0.0/23", engine="connect")
    assert ended.code == 0, ended.errors
    assert "a sender holds 160 connections at a time" in ended.errors
    assert ended.silent > 250


def test_too_low_a_hard_limit_is_refused(tmp_path: Path) -> None:
    """Where a worker could not open its own files, it does not begin, and the error says what it needs."""
    ended = work(tmp_path, "128:128")
    assert ended.code == 1
    assert "census: a process may open 128 files here, and a worker needs 176; raise the hard limit" in ended.errors
    assert not list((ended.lake / "work").glob("*/receipts/*"))
