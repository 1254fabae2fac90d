"""The capabilities that the unit `census-sweep.service` keeps are those that a sweep needs, and no more than that."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.testbed.running import CENSUS, ROOT, environment

UNIT = (ROOT / "data" / "systemd" / "census-sweep.service").read_text("utf-8")
(KEPT,) = re.findall(r"^AmbientCapabilities=(.*)$", UNIT, re.MULTILINE)
CAPABILITIES = [name.removeprefix("CAP_").lower() for name in KEPT.split()]
#: The proof that a testbed is closed enters its namespaces, and looks at processes of root; outside a testbed there is none.
PROOF = ["sys_admin", "sys_ptrace"]
#: Open what a sweep opens, on loopback: the nftables table, and the rings of an engine.
OPEN = """
from pipeline.engines import Engine
from pipeline.probe.rst_filter import suppress_resets
from pipeline.rings.open import open_rings
from tests.rings.test_xdp import TEMPLATE
with suppress_resets("lo", "127.0.0.1", (104,)):
    for engine in (Engine.RING, Engine.XDP):
        open_rings(engine, "lo", TEMPLATE, ())
print("opened")
"""
WORLD = """
[internet]
seed = 7

[[internet.block]]
addresses = ["11.0.0.0/24"]
ports = [104]
density = 0.1
mix = { accepts = 1 }
"""
SWEEP = """
sweep = { name = "least", ports = [104], seed = 3, rate = 5000, shards = 1 }
targets = { include = ["11.0.0.0/24"] }
loss = { sample = 0.0 }
control = { sample = 0.0 }
probe = { cooldown = 1.0 }
"""


def with_only(capabilities: list[str]) -> list[str]:
    """The command prefix that runs a command as an ordinary user has it: these capabilities, even for root, and never more."""
    kept = "-all," + ",".join(f"+{name}" for name in capabilities)
    ordinary = ["--no-new-privs", "--securebits", "+noroot,+noroot_locked"]
    return ["setpriv", *ordinary, "--bounding-set", kept, "--inh-caps", kept, "--ambient-caps", kept, "--"]


def opened(capabilities: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """Open a sweep's table and rings in a network namespace that has loopback alone."""
    loopback = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    command = [*loopback, *with_only(capabilities), sys.executable, "-c", OPEN]
    return subprocess.run(command, cwd=ROOT, env=environment(folder), capture_output=True, text=True, timeout=60)


def test_they_open_what_a_sweep_opens(tmp_path: Path) -> None:
    """With them alone, a process makes the nftables table and opens the rings of both engines."""
    ended = opened(CAPABILITIES, tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "opened\n"), ended.stderr


@pytest.mark.parametrize("without", CAPABILITIES)
def test_none_is_to_spare(without: str, tmp_path: Path) -> None:
    """Without either of them it does not."""
    assert opened([name for name in CAPABILITIES if name != without], tmp_path).returncode != 0


def test_a_sweep_needs_no_more(tmp_path: Path) -> None:
    """A whole sweep runs with them, and with what only the proof of its testbed needs."""
    (tmp_path / "world.toml").write_text(WORLD)
    (tmp_path / "sweep.toml").write_text(SWEEP)
    lake = tmp_path / "lake"
    planned = [*CENSUS, "plan", str(tmp_path / "sweep.toml"), "-o", str(tmp_path / "plan.json")]
    subprocess.run(planned, cwd=ROOT, env=environment(tmp_path), check=True, capture_output=True, timeout=120)
    work = [*with_only([*CAPABILITIES, *PROOF]), *CENSUS, "work", str(tmp_path / "plan.json"), "--lake", str(lake)]
    command = [*CENSUS, "testbed", "run", "--spec", str(tmp_path / "world.toml"), "--", *work]
    ended = subprocess.run(command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, ended.stderr[-3000:]
    verified = subprocess.run([*CENSUS, "verify", str(lake)], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert verified.returncode == 0, verified.stderr
