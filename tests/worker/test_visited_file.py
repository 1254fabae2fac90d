"""What an associator has visited is known to the next one, and a damaged file is refused."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.errors import CensusError, InputError
from pipeline.lake.layout import SweepPaths
from pipeline.worker import visited_file
from pipeline.worker.visited import ARRIVED_SECONDS, Visited
from pipeline.worker.visited_file import ENTRY, VisitedFile, VisitEvent

DIGEST, ONE, OTHER, THIRD = "a" * 64, (11 << 24, 104), (11 << 24, 105), (11 << 24, 106)
#: A process that visits ONE to its end, begins a visit of OTHER, has THIRD in its queue, and waits to be killed.
VISITING = f"""
import sys, time
from pathlib import Path
from pipeline.lake.layout import SweepPaths
from pipeline.worker.visited import Visited
from pipeline.worker.visited_file import VisitedFile
visited = Visited(SweepPaths(Path(sys.argv[1]), "s"), VisitedFile.of("{DIGEST}", "associator-north"))
visited.begin(0, 1, 0)
print(*(visited.add(0, 1, target) for target in ({ONE}, {OTHER}, {THIRD})), flush=True)
for target in ({ONE}, {OTHER}):
    visited.note(0, 1, target)
visited.report(0, 1, {ONE}, 0.0)
visited.settle(60.0)
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the files."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "states"))
    return tmp_path / "states" / "dicom-census" / "visited"


def started(tmp_path: Path) -> Visited:
    """What an associator that starts now knows."""
    return Visited(SweepPaths(tmp_path, "s"), VisitedFile.of(DIGEST, "associator-north"))


def killed(tmp_path: Path) -> str:
    """What the process was let visit; it has been killed."""
    command = [sys.executable, "-c", VISITING, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        let = process.stdout.readline()
        assert process.stdout.readline() == "ready\n"
        os.kill(process.pid, signal.SIGKILL)
    return let.strip()


def test_after_a_kill_nobody_is_visited_again(tmp_path: Path) -> None:
    """The same order again after SIGKILL is refused and counted; a visit that was cut off is made once more, never a third time."""
    assert killed(tmp_path) == "True True True"
    assert killed(tmp_path) == "False True True"
    visited = started(tmp_path)
    assert [visited.add(0, 1, target) for target in (ONE, OTHER, THIRD)] == [False, False, True]
    assert visited.refused == 2
    assert visited.add(0, 2, ONE)  # another range has other targets


def test_a_result_that_may_not_have_arrived(tmp_path: Path) -> None:
    """A result sent just before the kill may be lost: its target may be visited once more."""
    first = started(tmp_path)
    first.add(0, 1, ONE)
    first.note(0, 1, ONE)
    first.report(0, 1, ONE, 10.0)
    first.settle(10.0 + ARRIVED_SECONDS / 2)
    second = started(tmp_path)
    assert second.add(0, 1, ONE)
    second.note(0, 1, ONE)
    assert not started(tmp_path).add(0, 1, ONE)


def test_a_result_that_is_in_the_journal(tmp_path: Path) -> None:
    """A result that the worker's journal has was not cut off, whenever the kill came."""
    first = started(tmp_path)
    first.add(0, 1, ONE)
    first.note(0, 1, ONE)
    started(tmp_path).arrived(0, 1, [ONE, OTHER])
    last = started(tmp_path)
    assert [last.add(0, 1, target) for target in (ONE, OTHER)] == [False, True]


def test_what_was_taken_back_or_void(tmp_path: Path) -> None:
    """A visit that our own link cut off, and those of a receipt that was made void, may be made again after a restart too."""
    first = started(tmp_path)
    for target in (ONE, OTHER):
        first.add(0, 1, target)
        first.note(0, 1, target)
        first.report(0, 1, target, 0.0)
    first.settle(60.0)
    first.forget(0, 1, ONE)
    second = started(tmp_path)
    assert [second.add(0, 1, target) for target in (ONE, OTHER)] == [True, False]
    second._keep(VisitEvent.VOID, (0, 1), 1)
    assert started(tmp_path).add(0, 1, OTHER)


def test_a_torn_entry_is_cut_away(tmp_path: Path, states: Path) -> None:
    """What a kill left of an entry or of the header is cut away, and what follows is read again."""
    killed(tmp_path)
    path = next(states.iterdir())
    whole = path.read_bytes()
    for size in (len(whole) - 1, len(whole) - ENTRY.itemsize + 1, 10, 0):
        path.write_bytes(whole[:size])
        visited = started(tmp_path)
        visited.add(0, 9, ONE)
        visited.note(0, 9, ONE)
        visited._keep(VisitEvent.ENDED, (0, 9), (ONE[0] << 16) | ONE[1])
        assert not started(tmp_path).add(0, 9, ONE)


def test_a_damaged_file_is_refused(tmp_path: Path, states: Path) -> None:
    """One changed bit anywhere is one error that names the file and says what to do."""
    killed(tmp_path)
    path = next(states.iterdir())
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(InputError, match=r"associator-north: .*restore the file, or remove it"):
            started(tmp_path)


def test_a_file_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file does not grow over its limit: the visit is not made."""
    visited = started(tmp_path)
    monkeypatch.setattr(visited_file, "LARGEST", 200)
    with pytest.raises(CensusError, match="associator-north"):
        for port in range(10):
            visited.note(0, 1, (11 << 24, port))


def test_it_costs_next_to_nothing(tmp_path: Path) -> None:
    """A visit's entries take less than a tenth of a millisecond of CPU, where a visit takes 0.2 ms and more on an idle machine."""
    visited, count = started(tmp_path), 2_000
    began = time.process_time()
    for port in range(count):
        visited.note(0, 1, (11 << 24, port))
        visited.report(0, 1, (11 << 24, port), 0.0)
    visited.settle(60.0)
    assert (time.process_time() - began) / count < 1e-4
