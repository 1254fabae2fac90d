"""A wall clock that is set in the middle of a sweep: durations, states and rows are what they are without it."""

import json
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tests.end_to_end.vantages import internet, place, sweep
from tests.testbed.running import CENSUS, ROOT

#: Every process of the sweep that loads this finds the wall clock an hour elsewhere, from when the file is there.
CLOCK = """
import os, time
def stepped(read, hour):
    return lambda: read() + (hour if os.path.exists({file!r}) else 0)
time.time, time.time_ns = stepped(time.time, {hours} * 3600.0), stepped(time.time_ns, {hours} * 3600 * 10**9)
"""


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_in_the_middle(hours: int, tmp_path: Path) -> None:
    """Every host has its outcome, each range ends as long after its beginning as it took, and status never says `dead`."""
    stepped, states = tmp_path / "stepped", set[str]()
    (tmp_path / "sitecustomize.py").write_text(CLOCK.format(file=str(stepped), hours=hours))
    with place(tmp_path) as at, internet(at) as true:
        moved = [f"PYTHONPATH={tmp_path}"]
        status = ["env", *moved, *CENSUS, "status", str(tmp_path / "lake"), "--json"]

        def step(lake: Path) -> None:
            stepped.touch()
            for _ in range(2):
                time.sleep(1)
                said = subprocess.run(status, cwd=ROOT, env=at.environment, capture_output=True, text=True, timeout=60)
                states.add(json.loads(said.stdout)["state"])

        began = time.monotonic()
        swept = sweep(at, rate=1500, meanwhile=step, before=("env", *moved))
        took = time.monotonic() - began
    assert swept.code == 0, swept.said[-3000:]
    assert swept.outcomes() == true
    assert states == {"running"}
    for begun, ended in swept.rows("SELECT started_at, finished_at FROM receipts"):
        assert timedelta(0) < ended - begun < timedelta(seconds=took)
