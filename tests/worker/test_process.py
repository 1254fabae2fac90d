"""A process of a worker, as the kernel sees it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from pipeline import host
from tests.testbed.running import ROOT

#: A coordinator that starts a writer, prints its PID and then sleeps.
COORDINATOR = """
import sys, time
from pathlib import Path
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.sweep import freeze
from pipeline.worker import processes
from pipeline.worker.context import WorkerContext
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    plan = freeze.freeze(Path("tests/data/tls-sweep.toml"))
    context = WorkerContext(folder, Sweep(plan, SweepPaths(folder / "lake", plan.sweep)), b"")
    process = processes.start("writer", context)
    while not (folder / "writer").exists():
        time.sleep(0.01)
    print(process.pid, flush=True)
    time.sleep(600)
"""


def test_no_process_outlives_its_coordinator(tmp_path: Path) -> None:
    """When the coordinator is killed, its processes end at once: nothing else would stop them."""
    script = tmp_path / "coordinator.py"
    script.write_text(COORDINATOR)
    command = [sys.executable, str(script), str(tmp_path)]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as coordinator:
        assert coordinator.stdout is not None
        pid = int(coordinator.stdout.readline())
        assert host.started_at(pid) is not None
        coordinator.send_signal(signal.SIGKILL)
    until = time.monotonic() + 10
    while host.started_at(pid) is not None and time.monotonic() < until:
        time.sleep(0.02)
    assert host.started_at(pid) is None
