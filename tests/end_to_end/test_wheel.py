"""The wheel on a machine without a checkout: installed alone, from an empty folder, it plans, sweeps, proves and reports."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import checkout
from pipeline.errors import GuardError
from pipeline.lab import key
from pipeline.lake import layout
from pipeline.sweep import freeze

ROOT = Path(__file__).parents[2]
#: The interpreter that the wheel is installed for: WHEEL_PYTHON=PATH names another than that of the tests.
PYTHON = os.environ.get("WHEEL_PYTHON", sys.executable)
UV = [sys.executable, "-m", "uv"]
WORLD = """
[internet]
seed = 7

[[internet.block]]
addresses = ["11.0.0.0/22"]
ports = [104]
density = 0.05
mix = { accepts = 3, rejects = 1, silent = 1 }
"""
SWEEP = """
sweep = { name = "wheel", ports = [104], seed = 3, rate = 5000, shards = 1 }
targets = { include = ["11.0.0.0/22"] }
loss = { sample = 0.2 }
probe = { cooldown = 1.0 }
"""
#: What only the extras bring: Prefect, and the drawing of maps.
EXTRAS = ("prefect", "altair", "vl_convert")
pytestmark = pytest.mark.timeout(600)


class Machine:
    """A folder with the wheel installed as a tool and nothing else; `census` is its command."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.environment = folder / "empty", folder / "environment"
        self.folder.mkdir()
        # No PYTHONPATH and no virtual environment: nothing of the checkout can be found. The PATH is that of cron.
        self.environ = {"HOME": str(folder), "CENSUS_ONLY_TESTBED": "1", "PATH": f"{folder / 'bin'}:{os.defpath}"}

    def install(self, wheel: Path) -> None:
        """Install what the lock has, in an environment of its own, and the wheel; link its command, as docs/install.md does."""
        bin_ = self.folder.parent / "bin"
        bin_.mkdir()
        (bin_ / "census").symlink_to(self.environment / "bin" / "census")
        installing = [*UV, "pip", "install", "--quiet", "--python", str(self.environment / "bin" / "python")]
        checked = ["--require-hashes", "--only-binary", ":all:", "-r", str(ROOT / "locks" / "run.txt")]
        for command in (
            [*UV, "venv", "--quiet", "--python", PYTHON, str(self.environment)],
            [*installing, *checked],
            [*installing, "--no-deps", str(wheel)],
        ):
            subprocess.run(command, check=True, timeout=300)

    def census(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in the empty folder."""
        return subprocess.run(
            ["census", *words], cwd=self.folder, env=self.environ, capture_output=True, text=True, timeout=300
        )

    def sweep(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a sweep of the small world in a closed testbed."""
        ended = self.census("testbed", "run", "--spec", "world.toml", "--", "census", "sweep", *words)
        assert ended.returncode == 0, ended.stderr[-3000:]
        return ended

    def query(self, sql: str) -> list[dict[str, int]]:
        """Return the rows of a query over the lake."""
        rows: list[dict[str, int]] = json.loads(self.census("sql", "lake", sql, "--format", "json").stdout)
        return rows

    @property
    def keys(self) -> Path:
        """The folder of its keys."""
        return self.folder.parent / ".local" / "state" / "dicom-census" / "keys"

    @property
    def packages(self) -> Path:
        """The folder of the installed packages."""
        (folder,) = self.environment.glob("lib/python3*/site-packages")
        return folder


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """The machine, its wheel built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    building = [*UV, "build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable]
    subprocess.run([*building, "-o", str(folder), str(ROOT)], check=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    made = Machine(folder)
    made.install(wheel)
    (made.folder / "world.toml").write_text(WORLD)
    (made.folder / "sweep.toml").write_text(SWEEP)
    return made


@pytest.fixture(scope="module")
def swept(machine: Machine) -> str:
    """What the first sweep prints."""
    return machine.sweep("sweep.toml", "--lake", "lake", "--unattended").stdout


def test_the_wheel_is_the_checkout(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It plans with its own reference data, and its plan fits the checkout that it was built from: both are one program.

    Signed by that machine's key, the plan is refused by whoever has another.
    """
    assert machine.census("--help").returncode == 0
    planned = machine.census("plan", "sweep.toml", "-o", "plan.json")
    assert planned.returncode == 0, planned.stderr
    plan = layout.read_plan(machine.folder / "plan.json")
    assert plan.code_version == checkout.code()
    with pytest.raises(GuardError, match="which this machine does not trust"):
        freeze.require_fit(plan)
    monkeypatch.setenv(key.KEYS, str(machine.keys))
    freeze.require_fit(plan)


def test_extras_are_not_installed(machine: Machine) -> None:
    """The default install brings neither Prefect nor what draws maps."""
    assert [name for name in EXTRAS if (machine.packages / name).exists()] == []


def test_a_sweep_needs_no_prefect(machine: Machine, swept: str) -> None:
    """A whole sweep runs, is proved and is queried; its funnel and the views agree on the number of services."""
    assert "Funnel" in swept
    assert machine.census("verify", "lake").returncode == 0
    (totals,) = machine.query("SELECT services, accepting FROM totals")
    assert totals["services"] > totals["accepting"] > 0


def test_a_report_without_maps(machine: Machine, swept: str) -> None:
    """Without the extra `plots` the report has page, Markdown and tables, and a warning says why it has no map.

    Without -o it is in a folder next to the lake, to which a link leads.
    """
    written = machine.census("report", "lake")
    assert written.returncode == 0, written.stderr
    assert "no maps" in written.stderr and "dicom-census[plots]" in written.stderr
    latest = machine.folder / "reports" / "latest"
    page = (latest / "report.html").read_text("utf-8")
    assert 'id="funnel"' in page and 'id="map"' not in page
    assert not list(latest.glob("*.png"))
    edition = machine.census("report", "lake", "--country", "GB")
    assert edition.returncode == 2 and "name one with -o" in edition.stderr


def test_a_server_without_prefect_is_refused(machine: Machine) -> None:
    """With PREFECT_API_URL set and no Prefect, a sweep ends before anything is written and names the extra."""
    machine.environ["PREFECT_API_URL"] = "http://127.0.0.1:4200/api"
    try:
        ended = machine.census("sweep", "sweep.toml", "--lake", "other")
    finally:
        del machine.environ["PREFECT_API_URL"]
    assert ended.returncode == 2
    assert "dicom-census[fleet]" in ended.stderr
    assert not (machine.folder / "other").exists()


def test_an_upgrade_keeps_the_series(machine: Machine, swept: str) -> None:
    """Another version refuses the earlier one's plan and names the field; planned again, its sweep continues the series.

    With CENSUS_LOG_FORMAT=json every line on standard error is an object, those of testbed and processes too.
    """
    machine.census("plan", "sweep.toml", "-o", "earlier.json")
    with (machine.packages / "pipeline" / "errors.py").open("a") as module:
        module.write("# another version\n")
    refused = machine.census("testbed", "run", "--spec", "world.toml", "--", "census", "work", "earlier.json")
    assert refused.returncode == 3 and "code_version" in refused.stderr
    machine.environ["CENSUS_LOG_FORMAT"] = "json"
    lines = [
        json.loads(line) for line in machine.sweep("sweep.toml", "--lake", "lake", "--unattended").stderr.splitlines()
    ]
    assert {"time", "level", "message"} <= set.intersection(*map(set, lines))
    counts = machine.query("SELECT count(*) AS sweeps, count(DISTINCT series) AS series FROM series")
    assert counts == [{"sweeps": 2, "series": 1}]
