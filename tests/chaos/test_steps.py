"""Seal, enrich, report and release may end anywhere: by SIGKILL or for want of memory."""

import subprocess
import sys

import pytest

from tests.testbed.running import ROOT

#: A busy machine is slow.
pytestmark = pytest.mark.timeout(1800)
#: Seal, enrich, report and release are killed at a step each.
SEED, KILLS = 12, 4


def test_kills_at_steps() -> None:
    """Killed at some of their steps, they leave a lake that opens and adds up, and end as if nothing had happened.

    In a process of its own, since those that are killed are forked from it. `make chaos` kills a hundred.
    """
    command = [sys.executable, "-m", "tests.chaos.steps", "--seed", str(SEED), "--kills", str(KILLS)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1700)
    assert ended.returncode == 0, ended.stdout + ended.stderr[-3000:]
    assert f"{KILLS} of {KILLS} lakes opened" in ended.stdout
