"""A sweep from a machine that sleeps."""

import os
import signal
import time
from pathlib import Path

from pipeline.guard.proof import holder_of
from tests.end_to_end.vantages import Place, internet, place, sweep


def test_a_machine_that_sleeps(tmp_path: Path) -> None:
    """If everything stands still for 65 seconds the sweep ends with a sentence that says so, and a second run finishes it."""
    with place(tmp_path) as at, internet(at) as true:

        def sleep(lake: Path) -> None:
            every = members(at)
            for number in (signal.SIGSTOP, signal.SIGCONT):
                for pid in every:
                    os.kill(pid, number)
                if number is signal.SIGSTOP:
                    time.sleep(65)

        swept = sweep(at, rate=1500, meanwhile=sleep)
        assert swept.code == 1, swept.said[-3000:]
        assert "could not be renewed for 60 s; this worker stops, run again with --resume" in swept.said
        again = sweep(at, rate=1500)
    assert again.code == 0, again.said[-3000:]
    assert again.outcomes() == true


def members(at: Place) -> list[int]:
    """The processes at the vantage, without the one that keeps it."""
    found = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    mine = at.pair.manifest.holders[0].namespace
    holders = {pid: holder_of(pid) for pid in found if pid != at.pair.vantage}
    return [pid for pid, holder in holders.items() if holder and holder.namespace == mine]
