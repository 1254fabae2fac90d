"""Associators on other machines: the same sweep, with its conversations held behind an encrypted connection."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from pipeline.config.sections import Profile
from pipeline.errors import GuardError, InputError
from pipeline.lake import layout, store
from pipeline.plan import plan as planning
from pipeline.sweep import run as sweep
from pipeline.testbed import spec, truth
from pipeline.transport.keys import create
from pipeline.views import connection
from pipeline.worker import remote_associator
from tests.testbed.running import CENSUS, ROOT, environment, frozen

DATA = ROOT / "tests" / "data"
SPEC = DATA / "tls.toml"
#: The testbed has its own loopback, so any port is free there.
URL = "tcp://127.0.0.1:7100"
IN_TESTBED = [*CENSUS, "testbed", "run", "--spec", str(SPEC), "--"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with keys, and a plan without associators on the worker's machine."""
    create(tmp_path / "keys", ["north"])
    config = (DATA / "tls-sweep.toml").read_text() + "\n[associate]\nprocesses = 0\n"
    (tmp_path / "sweep.toml").write_text(config)
    frozen(tmp_path / "sweep.toml", tmp_path / "plan.json")
    return tmp_path


@contextmanager
def both(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a worker and, once the lake exists, its associator in one testbed; a file has the associator's PID."""
    script = (
        f"{' '.join(CENSUS)} work plan.json --lake lake --associator north={URL} --keys keys & worker=$!; "
        "until ls lake/plans/* >/dev/null 2>&1; do sleep 0.1; done; "
        f"{' '.join(CENSUS)} associate lake --name north --worker {URL} --keys keys & echo $! > associator.pid; "
        "wait $worker; worked=$?; wait $!; echo associator $?; exit $worked"
    )
    run = [*IN_TESTBED, "sh", "-c", f"cd {folder}; export PYTHONPATH={ROOT}; {script}"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(run, cwd=ROOT, env=environment(folder), text=True, **pipes) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)


def found(folder: Path) -> dict[tuple[int, int], str]:
    with connection.connect(folder / "lake") as con:
        rows = con.execute("SELECT ip, port, outcome FROM responses").fetchall()
    return {(ip, port): outcome for ip, port, outcome in rows}


def test_a_sweep_by_an_associator_elsewhere(folder: Path) -> None:
    """Every conversation is held elsewhere, the rows are the ground truth, and the sweep is verified."""
    with both(folder) as process:
        printed, _ = process.communicate(timeout=200)
    assert process.returncode == 0, printed[-3000:]
    assert "the worker has no more visits to hand on" in printed
    assert "associator 0" in printed
    assert found(folder) == {(t.address, t.port): str(t.outcome) for t in truth.truth(spec.load(SPEC))}
    verify = subprocess.run(
        [*CENSUS, "verify", str(folder / "lake")], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert verify.returncode == 0, verify.stderr


def test_an_associator_that_dies(folder: Path) -> None:
    """When the associator is killed the worker stops with one clear line; a second run of both finishes exactly the rest.

    A third one, in a lake that has forgotten both, is refused what was visited, and the worker counts that. The exception is what
    the kill may have cut off.
    """
    with both(folder) as process:
        until = time.monotonic() + 150
        while not any(folder.glob("lake/work/*/journal/*.tls.arrows")) and time.monotonic() < until:
            time.sleep(0.02)
        os.kill(int((folder / "associator.pid").read_text()), signal.SIGKILL)
        printed, _ = process.communicate(timeout=200)
    assert process.returncode == 1, printed[-3000:]
    assert "the connection to associator north is lost" in printed
    with both(folder) as process:
        printed, _ = process.communicate(timeout=200)
    assert process.returncode == 0, printed[-3000:]
    true = {(t.address, t.port): str(t.outcome) for t in truth.truth(spec.load(SPEC))}
    assert found(folder) == true
    for work in folder.glob("lake/work/*"):
        shutil.rmtree(work)
    with both(folder) as process:
        printed, _ = process.communicate(timeout=200)
    assert process.returncode == 0, printed[-3000:]
    secured = {target for target in true if target[1] == 2762}
    again = found(folder).keys() & secured
    shown = [json.loads(path.read_bytes())["counts"] for path in folder.glob("lake/work/*/progress/*.json")]
    assert len(again) < len(secured) / 2
    assert [counts["refused_visits"] >= len(secured - again) for counts in shown] == [True]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (["north"], "NAME=URL"),
        (["=tcp://127.0.0.1:1"], "NAME=URL"),
        (["../x=tcp://127.0.0.1:1"], "NAME=URL"),
        (["north=127.0.0.1:1"], "tcp://HOST:PORT"),
        (["south=tcp://127.0.0.1:1"], r"south\.key: does not exist"),
        (["north=tcp://127.0.0.1:1", "north=tcp://127.0.0.1:2"], "twice"),
    ],
)
def test_what_is_no_associator(tmp_path: Path, written: list[str], reason: str) -> None:
    """An associator option that cannot be used is refused with the reason before anything is sent."""
    create(tmp_path, ["north"])
    with pytest.raises(InputError, match=reason):
        remote_associator.remotes(written, tmp_path)


def test_nobody_to_hold_conversations(folder: Path) -> None:
    """A plan without associators on the worker's machine is refused by a worker without remote associators."""
    work = [*CENSUS, "work", str(folder / "plan.json"), "--lake", str(folder / "lake")]
    ended = subprocess.run(
        [*IN_TESTBED, *work], cwd=ROOT, env=environment(folder), capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 2
    assert "associate.processes" in ended.stderr


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        (Profile.CAPABILITIES, "the profile `capabilities` is for signed ranges only"),
        (Profile.ECHO, "changed after it was signed"),
    ],
)
def test_a_plan_that_was_changed(folder: Path, profile: Profile, reason: str) -> None:
    """An associator whose lake has a plan that was made to ask for more calls nobody: the owner's or the lab's signature lacks."""
    begun = sweep.begin(layout.read_plan(folder / "plan.json"), folder / "lake")
    settings = msgspec.structs.replace(begun.plan.settings, profile=profile)
    changed = msgspec.structs.replace(begun.plan, settings=settings)
    begun.paths.plan.unlink()
    store.write(begun.paths.plan, planning.encode(msgspec.structs.replace(changed, digest=planning.digest(changed))))
    associate = [*CENSUS, "associate", str(folder / "lake"), "--name", "north", "--worker", URL]
    command = [*IN_TESTBED, *associate, "--keys", str(folder / "keys")]
    ended = subprocess.run(command, cwd=ROOT, env=environment(folder), capture_output=True, text=True, timeout=120)
    assert (ended.returncode, reason in ended.stderr) == (3, True), ended.stderr


def test_a_connection_out_of_the_sandbox(folder: Path) -> None:
    """Where only testbeds are allowed, no connection to another machine is made."""
    plan = layout.read_plan(folder / "plan.json")
    begun = sweep.begin(plan, folder / "lake")
    with pytest.raises(GuardError, match="CENSUS_ONLY_TESTBED|closed testbed"):
        remote_associator.associate(begun, name="north", url="tcp://192.0.2.1:7100", keys=folder / "keys")
