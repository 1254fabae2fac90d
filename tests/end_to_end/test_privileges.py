"""The capabilities that the unit `census-sweep.service` keeps are those that a sweep needs, and no more than that."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.lake import layout, receipts
from pipeline.testbed import spec, truth
from pipeline.views import connection
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
sweep = { name = "least", ports = [104], seed = 3, rate = 5000, shards = 1, profile = "echo" }
targets = { include = ["11.0.0.0/24"] }
loss = { sample = 0.0 }
control = { sample = 0.0 }
probe = { cooldown = 1.0 }
geo = { country = "länder '1'.parquet" }
"""
#: A folder's name with what shells, TOML, SQL, globs and URLs read otherwise.
ODD = "a 'lab' of [Zürich]* \"5\" $HOME %s ;&#"
SEAL = """
import sys
from pipeline.lake import layout, store
from pipeline.sweep import enrichment, run
sweep = layout.open_sweep(store.at(sys.argv[1]), None)
run.seal(sweep)
enrichment.enrich(sweep)
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
    """A whole sweep runs with them, and with what only the proof of its testbed needs.

    Nothing but its own folder can be written, the folder has an odd name, the time zone is eleven and a half hours off, and the
    results are the truth: rows, times in UTC, a receipt that ends when it was written.
    """
    folder = tmp_path / ODD
    (folder / "tmp").mkdir(parents=True)
    (folder / "world.toml").write_text(WORLD)
    (folder / "sweep.toml").write_text(SWEEP)
    shutil.copy(ROOT / "data" / "reference" / "country.parquet", folder / "länder '1'.parquet")
    odd = environment(folder) | {"TZ": "<+1130>-11:30", "TMPDIR": str(folder / "tmp")}
    lake, plan = folder / "lake", folder / "plan.json"
    run([*CENSUS, "plan", str(folder / "sweep.toml"), "-o", str(plan)], odd)
    work = [
        *alone_writable(folder),
        *with_only([*CAPABILITIES, *PROOF]),
        *CENSUS,
        "work",
        str(plan),
        "--lake",
        str(lake),
    ]
    run([*CENSUS, "testbed", "run", "--spec", str(folder / "world.toml"), "--", *work], odd)
    run([*CENSUS, "verify", str(lake)], odd)
    run([sys.executable, "-c", SEAL, str(lake)], odd)
    (receipt,) = receipts.read_receipts(paths := layout.sweeps(lake)[0])
    assert abs(paths.receipt("000-000000").stat().st_mtime - receipt.finished_at / 1e6) < 2
    with connection.connect(lake) as con:
        query = "SELECT ip, port, outcome, epoch(answered_at) FROM responses JOIN locations USING (sweep, ip)"
        rows = con.execute(query).fetchall()
    loaded = spec.load(folder / "world.toml")
    assert {row[:3] for row in rows} == {
        (t.address, t.port, t.outcome) for t in truth.truth(loaded, (104,)) if t.outcome
    }
    assert all(abs(at - receipt.started_at / 1e6) < 60 for *_, at in rows)


def run(command: list[str], environ: Mapping[str, str]) -> None:
    """Run a command that must succeed."""
    ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, ended.stderr[-3000:]


def alone_writable(folder: Path) -> list[str]:
    """The command prefix that runs a command where nothing of the root's file system can be written but this folder."""
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro / && ! touch / 2>/dev/null && exec "$@"'
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, str(folder)]
