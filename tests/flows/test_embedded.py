"""A sweep and the server that its program started: the sweep ends with it, and an interrupted sweep still has it."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from pipeline.lake import layout, receipts
from pipeline.lake.layout import Sweep
from pipeline.status import snapshot
from pipeline.sweep import run as steps
from tests.chaos.inside import processes
from tests.chaos.world import World
from tests.testbed.running import CENSUS, ROOT, environment

#: The seconds within which it ends: conversations in flight may last until their deadlines, and a busy machine takes its time.
END_SECONDS = 30
pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True, slots=True)
class Lost:
    """A sweep whose server was killed."""

    world: World
    paths: layout.SweepPaths
    code: int
    output: str
    took: float
    state: str


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lost]:
    """The sweep, once its program has ended."""
    folder = tmp_path_factory.mktemp("embedded")
    world = World.made(folder, kills=2, senders=1, prefix=18, shards=8)
    plan = layout.read_plan(world.plan)
    paths = layout.SweepPaths(folder / "lake", plan.sweep)
    with at_work(world, paths) as (testbed, program):
        (server,) = (pid for pid, words in processes(program) if "prefect.server" in words)
        os.kill(server, signal.SIGKILL)
        output, took = ended(testbed)
    yield Lost(world, paths, testbed.returncode, output, took, snapshot.status(Sweep.open(paths)).state)


def command(world: World, paths: layout.SweepPaths, *words: str) -> list[str]:
    """The sweep in a testbed, its program in a separate process group, as a shell starts it."""
    sweep = ["setsid", *CENSUS, "sweep", str(world.plan), "--lake", str(paths.lake), *words]
    return [*CENSUS, "testbed", "run", "--spec", str(world.spec), "--", *sweep]


@contextmanager
def at_work(world: World, paths: layout.SweepPaths) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """The testbed of a sweep that has finished a range, and the process of its program."""
    before = receipts.finished(paths)
    environ = environment(world.plan.parent)
    with subprocess.Popen(
        command(world, paths, "--resume"), cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True
    ) as testbed:
        try:
            while receipts.finished(paths) <= before:
                assert testbed.poll() is None
                time.sleep(0.1)
            (program,) = (pid for pid, words in processes(testbed.pid) if "pipeline sweep" in words)
            yield testbed, program
        finally:
            testbed.terminate()  # nothing, once it has ended


def ended(testbed: "subprocess.Popen[str]") -> tuple[str, float]:
    """What a testbed prints until it ends, and how many seconds that takes."""
    begun = time.monotonic()
    return testbed.communicate(timeout=600)[1], time.monotonic() - begun


def test_it_ends_within_seconds(lost: Lost) -> None:
    """A sweep whose server is killed ends within seconds, with exit code 1 and one line that says what to do."""
    print(f"it ended {lost.took:.1f} s after its server")
    assert lost.code == 1 and lost.took < END_SECONDS
    (line,) = (line for line in lost.output.splitlines() if line.startswith("census: "))
    assert "Prefect's embedded server ended with -9; the lake keeps all results" in line
    assert not re.search("Traceback|ERROR|WARNING", lost.output)


def test_an_interrupted_sweep_keeps_its_server(lost: Lost) -> None:
    """Ctrl-C, which a terminal sends to the whole group, ends a sweep within seconds and with its own exit code."""
    with at_work(lost.world, lost.paths) as (testbed, program):
        os.killpg(program, signal.SIGINT)
        output, took = ended(testbed)
    print(f"it ended {took:.1f} s after Ctrl-C")
    assert testbed.returncode == 130 and took < END_SECONDS
    assert "embedded server" not in output and "Traceback" not in output


def test_what_is_left_is_resumed(lost: Lost) -> None:
    """Without its server a sweep stops in an orderly way, and `--resume` finishes the rest; everything is consistent."""
    assert lost.state == "stopped"
    resumed = subprocess.run(
        command(lost.world, lost.paths, "--resume"),
        cwd=ROOT,
        env=environment(lost.world.plan.parent),
        capture_output=True,
        timeout=600,
    )
    assert resumed.returncode == 0, resumed.stderr[-3000:]
    sweep = Sweep.open(lost.paths)
    steps.require_verified(sweep)
    assert snapshot.status(sweep).state == "sealed"
