"""Ten thousand hostile peers at once take no more memory than few, and each gets its outcome."""

import subprocess
import threading
from contextlib import suppress
from pathlib import Path

from pipeline.testbed import spec, truth
from pipeline.views import connection
from tests.chaos.inside import processes
from tests.testbed.running import ROOT, environment, frozen, in_testbed

SPEC = ROOT / "tests" / "data" / "crowd.toml"
SWEEP = """
sweep = { name = "crowd", ports = [104], seed = 1, rate = 4000, shards = 1, profile = "echo" }
targets = { include = ["11.0.0.0/19", "11.0.32.0/21"] }
probe = { cooldown = 8.0, engine = "ring" }
associate = { per_slash24 = 256 }
alarm = { false_alarms = 0.0 }
"""
#: What the largest process of a worker may take, in bytes.
MOST_BYTES = 256 << 20


def forked(parent: int) -> list[int]:
    """The processes of a worker below a process: all that were forked."""
    below = [found for pid, command in processes(parent) for found in forked(pid) + [pid] * ("forkserver" in command)]
    return list(dict.fromkeys(below))


def largest(pid: int) -> int:
    """The most memory that a process has had, in bytes; 0 if it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    return 0


def test_ten_thousand_hostile_peers(tmp_path: Path) -> None:
    """Every peer has the outcome of the specification, and no process of the worker takes more than 256 MB."""
    (tmp_path / "sweep.toml").write_text(SWEEP)
    frozen(tmp_path / "sweep.toml", tmp_path / "plan.json")
    command = in_testbed("work", str(tmp_path / "plan.json"), "--lake", str(tmp_path / "lake"), spec=SPEC)
    most, ended = [0], threading.Event()
    with subprocess.Popen(command, cwd=ROOT, env=environment(tmp_path), stderr=subprocess.PIPE, text=True) as program:

        def watch() -> None:
            while not ended.wait(0.5):
                most[0] = max([most[0], *map(largest, forked(program.pid))])

        watching = threading.Thread(target=watch)
        watching.start()
        said = program.communicate(timeout=500)[1]
        ended.set()
        watching.join()
    assert program.returncode == 0, said[-3000:]
    print(f"at most {most[0] >> 20} MB in a process")
    with connection.connect(tmp_path / "lake") as con:
        rows = con.execute("SELECT ip, port, outcome FROM responses").fetchall()
    true = {(row.address, row.port): row.outcome for row in truth.truth(spec.load(SPEC), (104,)) if row.outcome}
    assert {(ip, port): outcome for ip, port, outcome in rows} == true and len(true) == 10_240
    assert 0 < most[0] < MOST_BYTES
