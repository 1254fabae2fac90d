"""The server that a program starts: its own database, no proxy; a sweep ends with it, and an interrupted sweep still has it."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands import orchestrate
from pipeline.errors import GuardError, InputError
from pipeline.lake import layout, receipts
from pipeline.lake.layout import Sweep
from pipeline.status import snapshot
from pipeline.sweep import run as steps
from pipeline.sweep.freeze import freeze
from tests.associate.serving import free_port
from tests.chaos.inside import processes
from tests.chaos.world import World
from tests.commands.running import write_config
from tests.testbed.running import CENSUS, DATABASE, ROOT, environment

#: The seconds within which it ends: conversations in flight may last until their deadlines, and a busy machine takes its time.
END_SECONDS = 30
#: The seconds after which a server that does not get ready is given up.
TIMEOUT_SECONDS = float(orchestrate.SETTINGS["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"])
pytestmark = pytest.mark.timeout(900)

#: A flow on the embedded server, which prints the server's home.
FLOW = """
import os, sys
from pipeline.commands import orchestrate
from pipeline.errors import CensusError
os.environ.update(orchestrate.SETTINGS)
from flows.embedded import serving
from prefect import flow
try:
    with serving() as ready:
        ready()
        print(flow(lambda: os.environ["PREFECT_HOME"], name="home")())
except CensusError as error:
    sys.exit(str(error))
"""

#: The flow `report` on the embedded server.
REPORT = """
import os, sys
from pipeline.commands import orchestrate
os.environ.update(orchestrate.SETTINGS)
from flows.embedded import serving
from flows.report import report
with serving() as ready:
    ready()
    print(report(*sys.argv[1:]))
"""


def run_flow(home: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """A flow of a user whose home is a folder."""
    inherited = {
        k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "XDG_")) and "proxy" not in k.lower()
    }
    environ = inherited | {"HOME": str(home)} | variables
    return subprocess.run(
        [sys.executable, "-c", FLOW], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=300
    )


def later_database(folder: Path) -> None:
    """Put a database into a folder that a later version of Prefect has changed."""
    folder.mkdir(parents=True)
    with sqlite3.connect(folder / "prefect.db") as con:
        con.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        con.execute("INSERT INTO alembic_version VALUES ('of_a_later_version')")
    con.close()


def sweep_flow() -> Any:
    """The flow of a sweep. To import it takes 2 s of CPU, in every process that collects tests."""
    from flows.sweep import sweep

    return sweep


def test_another_database_of_the_user_does_not_matter(tmp_path: Path) -> None:
    """A first run makes a database for each version of Prefect, whatever another program did to that in ~/.prefect."""
    later_database(tmp_path / ".prefect")
    own = tmp_path / ".local" / "state" / "dicom-census" / f"prefect-{version('prefect')}"
    done = run_flow(tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, str(own)), done.stderr


def test_a_home_that_the_user_names_is_obeyed(tmp_path: Path) -> None:
    """PREFECT_HOME is obeyed; if its database is of a later version, the error says so within seconds, and what to do."""
    later_database(tmp_path / "named")
    begun = time.monotonic()
    done = run_flow(tmp_path, PREFECT_HOME=str(tmp_path / "named"))
    print(f"the error came after {time.monotonic() - begun:.1f} s")
    assert done.returncode == 1 and time.monotonic() - begun < TIMEOUT_SECONDS
    (line,) = done.stderr.strip().splitlines()
    assert (
        "ended with 3: another version of Prefect has changed its database (" in line and "of_a_later_version" in line
    )
    assert f"its database is in {tmp_path / 'named'}. Set PREFECT_HOME to another folder" in line


def test_a_state_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """Where the folder of the database cannot be made, the error says which, why, and what to set."""
    (tmp_path / "state").write_text("")
    done = run_flow(tmp_path, XDG_STATE_HOME=str(tmp_path / "state"))
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "cannot be made: Not a directory; set XDG_STATE_HOME or PREFECT_HOME to a folder" in done.stderr


def test_proxies_do_not_matter(tmp_path: Path) -> None:
    """Where every proxy variable names a closed port, a flow runs: nothing to loopback goes to a proxy."""
    home = tmp_path / "prefect"
    home.mkdir()
    if DATABASE.exists():  # which saves the time to make one
        shutil.copy(DATABASE, home)
    closed = f"127.0.0.1:{free_port()}"
    http = dict.fromkeys(("HTTP_PROXY", "http_proxy", "https_proxy", "HTTPS_PROXY"), f"http://{closed}")
    done = run_flow(tmp_path, PREFECT_HOME=str(home), **http, ALL_PROXY=f"socks5://{closed}")
    assert done.returncode == 0 and done.stderr == "", done.stderr


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
    again = command(world, paths, *["--resume"] * paths.plan.exists())
    with subprocess.Popen(again, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True) as testbed:
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
    from prefect.client.schemas.objects import State

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
    state = sweep_flow().fn(str(lost.world.plan), str(lost.paths.lake), resume=True)
    assert (
        isinstance(state, State) and state.message == f"nothing to resume: {lost.paths.id} is sealed; nothing was sent"
    )


def test_a_changed_configuration_is_not_resumed(tmp_path: Path) -> None:
    """With `resume`, a flow whose configuration has changed since says what differs and begins nothing, as the command does."""
    config, lake = Path(write_config(tmp_path)), tmp_path / "lake"
    steps.begin(freeze(config, lake), lake)
    config.write_text(config.read_text().replace("rate = 100", "rate = 50"))
    with pytest.raises(GuardError, match=r"\(field settings\.rate\), and resuming would"):
        sweep_flow().fn(str(config), str(lake), resume=True)
    assert len(layout.sweeps(lake)) == 1


def test_vantages_have_no_longest_time() -> None:
    """`max_runtime` is refused where vantages send: it would end none of them."""
    with pytest.raises(InputError, match="max_runtime: ends a process that sends itself"):
        sweep_flow().fn("sweep.toml", vantages=["vantage/one"], max_runtime=60.0)


def test_its_report_has_a_link(lost: Lost) -> None:
    """The flow `report` writes the report of the latest sealed sweep; `latest`, next to its folder, leads to it."""
    folder = lost.world.plan.parent
    done = subprocess.run(
        [sys.executable, "-c", REPORT, str(lost.paths.lake), str(folder / "reports")],
        cwd=ROOT,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    latest = folder / "reports" / "latest"
    assert latest.readlink() == Path(lost.paths.id)
    assert (latest / "report.html").is_file()
