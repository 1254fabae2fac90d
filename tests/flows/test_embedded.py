"""A sweep does not outlive the server that its program began, nor wait for it."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline import status
from pipeline import sweep as steps
from pipeline.lake import receipts, store
from tests.chaos.inside import processes
from tests.chaos.world import World
from tests.testbed.running import CENSUS, ROOT, environment

#: Within so many seconds it ends: the conversations in flight may take as long as their deadlines; a busy machine takes its time.
END_SECONDS = 30
pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True, slots=True)
class Lost:
    """A sweep whose server was killed."""

    world: World
    place: store.Sweep
    code: int
    said: str
    took: float
    state: str


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lost]:
    """The sweep, once its program has ended."""
    folder = tmp_path_factory.mktemp("embedded")
    world = World.made(folder, kills=2, senders=1, prefix=18, shards=8)
    plan = steps.read(world.plan)
    place = store.Sweep(folder / "lake", plan.sweep)
    with subprocess.Popen(
        command(world, place), cwd=ROOT, env=environment(folder), stderr=subprocess.PIPE, text=True
    ) as testbed:
        try:
            while not receipts.finished(place):
                assert testbed.poll() is None
                time.sleep(0.1)
            (program,) = (pid for pid, words in processes(testbed.pid) if "pipeline sweep" in words)
            (server,) = (pid for pid, words in processes(program) if "prefect.server" in words)
            os.kill(server, signal.SIGKILL)
            killed = time.monotonic()
            said = testbed.communicate(timeout=600)[1]
            took = time.monotonic() - killed
        finally:
            testbed.terminate()  # nothing, once it has ended
    yield Lost(world, place, testbed.returncode, said, took, status.status(plan, place).state)


def command(world: World, place: store.Sweep, *words: str) -> list[str]:
    """The sweep in a testbed."""
    sweep = [*CENSUS, "sweep", str(world.plan), "--lake", str(place.lake), *words]
    return [*CENSUS, "testbed", "run", "--spec", str(world.spec), "--", *sweep]


def test_it_ends_within_seconds(lost: Lost) -> None:
    """A sweep whose server is killed ends within seconds, with exit code 1 and one line that says what to do."""
    print(f"it ended {lost.took:.1f} s after its server")
    assert lost.code == 1 and lost.took < END_SECONDS
    (line,) = (line for line in lost.said.splitlines() if line.startswith("census: "))
    assert "Prefect's embedded server ended with -9; the lake keeps all that is done" in line
    assert not re.search("Traceback|ERROR|WARNING", lost.said)


def test_it_ends_in_order_and_is_resumed(lost: Lost, tmp_path: Path) -> None:
    """It stops as if it had been asked to, and `--resume` finishes the rest; all adds up."""
    assert lost.state == "stopped"
    assert receipts.finished(lost.place)
    resumed = subprocess.run(
        command(lost.world, lost.place, "--resume"),
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        timeout=600,
    )
    assert resumed.returncode == 0, resumed.stderr[-3000:]
    plan = steps.read(lost.world.plan)
    steps.require_verified(plan, lost.place)
    assert status.status(plan, lost.place).state == "sealed"
