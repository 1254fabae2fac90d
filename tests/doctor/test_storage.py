"""The checks of lake and register."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.doctor import storage
from pipeline.doctor.finding import Level, Subject
from pipeline.lake import store
from pipeline.optout import edit, register
from pipeline.plan import plan as planning
from pipeline.sweep import freeze
from tests.lake import bucket
from tests.testbed.running import CENSUS, ROOT

SWEEP = """
sweep = { name = "doctor", ports = [104], seed = 1, rate = 1000 }
targets = { include = ["11.0.0.0/8"] }
"""
#: In a process that may not write the register: what the check finds, and how an alarm ends.
UNWRITABLE = """
import sys
from pathlib import Path
from pipeline.doctor import storage
from pipeline.doctor.finding import Subject
from pipeline.errors import InputError
from pipeline.lake import layout
from pipeline.optout import edit, register
plan = layout.read_plan(Path(sys.argv[1]) / "plan.json")
(found,) = storage.own_stop(Subject(plan, Path(sys.argv[1]) / "lake"))
print(found.level)
print(found.text)
try:
    edit.stop_itself(register.at(plan.register), "the path is silent")
except InputError as error:
    print(error)
"""


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    (tmp_path / "sweep.toml").write_text(SWEEP)
    return Subject(freeze.freeze(tmp_path / "sweep.toml", tmp_path / "lake"), tmp_path / "lake")


def test_nothing_is_left_in_the_lake(subject: Subject, tmp_path: Path) -> None:
    """The check writes, and leaves neither a file nor a lake that was not there."""
    (found,) = storage.lake(subject)
    assert found.level is Level.OK
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sweep.toml"]


def test_a_bucket(subject: Subject) -> None:
    """Conditional puts are tried against the object store itself."""
    with bucket.serving() as endpoint, pytest.MonkeyPatch.context() as patch:
        for name, value in {**bucket.KEYS, "AWS_ENDPOINT_URL": endpoint}.items():
            patch.setenv(name, value)
        where = store.at(bucket.make(endpoint) + "/lake")
        (found,) = storage.lake(Subject(subject.plan, where))
        assert found.level is Level.OK
        assert list(store.entries(where, "*")) == []


def test_a_register_that_the_sweep_may_not_write(subject: Subject, tmp_path: Path) -> None:
    """The check is a stop, since alarms write there; an alarm that cannot says why the sweep ends."""
    assert [found.level for found in storage.own_stop(subject)] == [Level.OK]
    (tmp_path / "register").touch(mode=0o444)
    (tmp_path / "sweep.toml").write_text(SWEEP + 'optout = { register = "register" }')
    (tmp_path / "plan.json").write_bytes(planning.encode(freeze.freeze(tmp_path / "sweep.toml", subject.lake)))
    # Root may write everywhere while it has this capability.
    prefix = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    command = [*prefix, sys.executable, "-c", UNWRITABLE, str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    level, sentence, error = ended.stdout.splitlines()
    assert level == "stop" and "so the sweep could not stop itself" in sentence
    assert "the sweep ends, since it cannot be stopped here: the path is silent (" in error and "denied" in error


def test_a_stop_and_a_limit(subject: Subject) -> None:
    """A stop in force is a stop with the command that resumes; a limit is a warning with its number."""
    assert subject.lake is not None
    (found,) = storage.opt_outs(subject)
    assert (found.level, "empty at first" in found.text) == (Level.OK, True)
    register.begin("", subject.lake)
    opened = register.of("", subject.lake)
    assert [found.level for found in storage.opt_outs(subject)] == [Level.OK]
    edit.stop(opened, "a", "a hospital calls")
    edit.limit(opened, "a", 500)
    stopped, limited = storage.opt_outs(subject)
    assert stopped.level is Level.STOP and stopped.text.endswith("stops every sweep: a hospital calls")
    assert limited.level is Level.WARNING and "500 probes/s" in limited.text


def test_a_small_disk(subject: Subject, tmp_path: Path) -> None:
    """A disk with too few bytes or inodes for the plan is a warning for each."""
    disk = tmp_path / "disk"
    disk.mkdir()
    doctor = [*CENSUS, "doctor", str(tmp_path / "sweep.toml"), "--lake", str(disk / "lake"), "--json"]
    mounted = f'mount -t tmpfs -o size=1m,nr_inodes=50 t {disk} && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", mounted, "sh", *doctor]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    found = [row for row in map(json.loads, ended.stdout.splitlines()) if row["check"] == "room"]
    assert [row["level"] for row in found] == ["warning", "warning"], ended.stderr
    assert found[0]["text"].startswith("1 MB are free for the lake") or found[0]["text"].startswith("0 MB are free")
    assert "inodes are free" in found[1]["text"]
