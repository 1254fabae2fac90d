import json
from pathlib import Path

import msgspec
import pytest

from pipeline.lake import layout
from pipeline.lake.layout import SweepPaths
from pipeline.sweep import freeze, run
from tests.commands.running import IDENTITY, census, write_config


def test_a_sweep_outside_a_testbed_is_refused(tmp_path: Path) -> None:
    """Under CENSUS_ONLY_TESTBED even a complete identity does not let a sweep out; the exit code is 3."""
    refused = census("sweep", write_config(tmp_path), "--lake", str(tmp_path / "lake"))
    assert refused.returncode == 3
    assert "testbed" in refused.stderr
    assert not (tmp_path / "lake").exists()


def test_guards_come_before_interfaces(tmp_path: Path) -> None:
    """A sweep that is refused and names an interface that does not exist is refused for the guard's reason."""
    identity = IDENTITY + '\n[probe]\ninterface = "no-such-interface"'
    refused = census("sweep", write_config(tmp_path, identity=identity), "--lake", str(tmp_path / "lake"))
    assert refused.returncode == 3
    assert "no-such-interface" not in refused.stderr


@pytest.mark.parametrize(
    ("include", "identity", "reason"),
    [
        ("300.1.1.1", IDENTITY, "targets.include"),
        ("10.0.0.0/8", IDENTITY, "nothing is left"),
        ("198.51.99.0/24", 'colour = "red"', "colour"),
    ],
)
def test_bad_configuration_is_named(tmp_path: Path, include: str, identity: str, reason: str) -> None:
    """A bad configuration ends with exit code 2, naming the file and what is wrong in it."""
    refused = census("plan", write_config(tmp_path, include=include, identity=identity))
    assert refused.returncode == 2
    assert reason in refused.stderr
    assert "config.toml" in refused.stderr


def test_a_changed_plan_is_refused(tmp_path: Path) -> None:
    """A plan that was edited after it was frozen is refused with exit code 3."""
    plan = tmp_path / "plan.json"
    assert census("plan", write_config(tmp_path), "-o", str(plan)).returncode == 0
    plan.write_text(plan.read_text("utf-8").replace('"seed":1', '"seed":2'), "utf-8")
    refused = census("work", str(plan), "--lake", str(tmp_path / "lake"))
    assert refused.returncode == 3
    assert "digest" in refused.stderr


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A lake with two sweeps that were begun, in the order of their names."""
    for name in ("first", "second"):
        run.begin(freeze.freeze(Path(write_config(tmp_path, name=name))), tmp_path / "lake")
    return tmp_path / "lake"


def test_status_says_how_many_sweeps_there_are(lake: Path) -> None:
    """The status of the latest sweep ends with the number of the others and the command that lists them."""
    done = census("status", str(lake))
    assert "-second" in done.stdout and "-first" not in done.stdout
    assert done.stderr == f"1 other sweep is in this lake; `census sweeps {lake}` lists them\n"
    assert census("status", str(lake), "--json").stderr == ""


def test_sweeps_are_listed(lake: Path) -> None:
    """`census sweeps` has a line for each sweep, oldest first; `--json` makes each an object."""
    table = census("sweeps", str(lake)).stdout
    assert table.index("-first") < table.index("-second")
    rows = [json.loads(line) for line in census("sweeps", str(lake), "--json").stdout.splitlines()]
    assert [row.pop("sweep").partition("-")[2] for row in rows] == ["first", "second"]
    assert rows[0] == {
        "series": "first", "state": "begun", "began": None, "targets": 256, "done": 0.0, "services": 0, "sealed": False,
        "enriched": False,
    }  # fmt: skip


def test_a_finished_series_is_not_resumed(tmp_path: Path) -> None:
    """--resume never begins a sweep: a finished series says so and ends with 0, a lake without the series is wrong input."""
    config, lake = write_config(tmp_path), tmp_path / "lake"
    name = freeze.freeze(Path(config)).settings.name
    unknown = census("sweep", config, "--lake", str(lake), "--resume")
    assert (unknown.returncode, f"has no sweep of the series {name} to resume" in unknown.stderr) == (2, True)
    finished = SweepPaths(lake, f"20260101T000000Z-{name}")
    for path in (finished.plan, finished.sealed("sweeps"), finished.sealed(layout.ENRICHED)):
        path.parent.mkdir(parents=True)
        path.touch()
    resumed = census("sweep", config, "--lake", str(lake), "--resume")
    assert resumed.returncode == 0
    assert resumed.stderr == f"nothing to resume: {finished.id} is sealed; nothing was sent\n"
    assert [paths.id for paths in layout.sweeps(lake)] == [finished.id]


def test_a_second_sweep_next_to_an_unfinished_one_is_announced(lake: Path) -> None:
    """A new sweep of a series names the one that is not finished; one of another series does not."""
    config = Path(write_config(lake.parent, name="first"))
    plan = freeze.freeze(config, lake)
    (warning,) = run.others(msgspec.structs.replace(plan, sweep="20991231T000000Z-first"), lake)
    assert "-first of this series is not finished, and another begins; --resume finishes it " in warning
    other = freeze.freeze(Path(write_config(lake.parent, name="third")), lake)
    assert list(run.others(other, lake)) == []
