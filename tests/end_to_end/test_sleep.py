"""A sweep from a machine that sleeps."""

import os
import signal
import time
from pathlib import Path

from pipeline.guard.proof import holder_of
from tests.chaos.inside import processes
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


def test_a_writer_that_stands_still(tmp_path: Path) -> None:
    """If the writer alone stands still for a minute, e.g. for a slow disk, the sweep waits for it: nothing is lost or doubled."""
    with place(tmp_path) as at, internet(at) as true:

        def stop(lake: Path) -> None:
            children = [processes(pid) for pid in members(at)]
            forked = [
                each for each in children if len(each) > 2 and all("forkserver" in command for _, command in each)
            ]
            writer = forked[0][-1][0]  # the last of the stages
            os.kill(writer, signal.SIGSTOP)
            time.sleep(60)
            os.kill(writer, signal.SIGCONT)

        swept = sweep(at, rate=1500, meanwhile=stop)
    assert swept.code == 0, swept.said[-3000:]
    assert swept.outcomes() == true
    assert swept.rows("SELECT count(*) - count(DISTINCT (ip, port)) FROM responses") == [(0,)]


def members(at: Place) -> list[int]:
    """The processes at the vantage, without the one that keeps it."""
    found = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    mine = at.pair.manifest.holders[0].namespace
    holders = {pid: holder_of(pid) for pid in found if pid != at.pair.vantage}
    return [pid for pid, holder in holders.items() if holder and holder.namespace == mine]
