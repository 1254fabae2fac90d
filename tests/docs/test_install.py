"""docs/install.md, and what it installs: systemd units and the Containerfile name what exists, and give away no privilege."""

import re
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from pipeline.errors import CensusError, GuardError, InputError, Interrupted
from tests.docs.test_paths import _runs

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "install.md").read_text("utf-8")
SYSTEMD = ROOT / "data" / "systemd"
UNITS = sorted([*SYSTEMD.glob("*.service"), *SYSTEMD.glob("*.timer")])
SERVICES = [path for path in UNITS if path.suffix == ".service"]
CONTAINERFILE = (ROOT / "data" / "container" / "Containerfile").read_text("utf-8")
#: Where the page installs the program.
CENSUS = "/opt/census/bin/census"
#: The most that a unit may score in `systemd-analyze security`, in tenths, by its name; 100 is no protection at all.
MOST_EXPOSED = {"census-sweep.service": 26, "census-report.service": 10, "census-status.service": 14}
#: Programs that a sweep calls, and Debian's packages of them.
PROGRAMS = {"nft": "nftables", "ip": "iproute2"}


def _settings(unit: Path) -> ConfigParser:
    parser = ConfigParser(strict=True, interpolation=None)
    parser.optionxform = str  # type: ignore[method-assign, assignment]
    parser.read(unit, "utf-8")
    return parser


def _copies(folder: Path) -> list[str]:
    """Copies of the units that start a program which this machine has: systemd checks that it is there."""
    for unit in UNITS:
        (folder / unit.name).write_text(unit.read_text("utf-8").replace(CENSUS, "/bin/true"), "utf-8")
    return [str(folder / unit.name) for unit in UNITS]


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say about any of them."""
    ended = subprocess.run(
        ["systemd-analyze", "verify", *_copies(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_units_give_away_little(unit: Path, tmp_path: Path) -> None:
    """Each service stays below its bound of exposure, as `systemd-analyze security` counts it."""
    _copies(tmp_path)
    options = ["--offline=true", f"--threshold={MOST_EXPOSED[unit.name]}"]
    command = ["systemd-analyze", "security", *options, str(tmp_path / unit.name)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stdout[-500:]


def test_only_the_sweep_has_capabilities() -> None:
    """The sweep has the two that raw packets and nftables need; the others have none."""
    bounds = {unit.name: _settings(unit)["Service"]["CapabilityBoundingSet"] for unit in SERVICES}
    assert bounds.pop("census-sweep.service") == "CAP_NET_RAW CAP_NET_ADMIN"
    assert set(bounds.values()) == {""}


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_units_start_commands_that_exist(unit: Path) -> None:
    """What a service starts is a command of the program, with options that it has."""
    program, *words = _settings(unit)["Service"]["ExecStart"].split()
    assert program == CENSUS
    assert words[:2] == ["--log-format", "json"]
    assert _runs(words[2:])


def test_journals_hold_json_lines_alone() -> None:
    """Services write no table to the journal, so that jq reads it to its end. Errors, which follow the output by default, stay."""
    services = [_settings(unit)["Service"] for unit in SERVICES]
    assert {(service["StandardOutput"], service["StandardError"]) for service in services} == {("null", "journal")}


def test_units_retry_what_a_retry_can_mend() -> None:
    """A sweep is started again after exit code 1 alone: not after wrong input, a refusal or an interruption."""
    codes = {kind.exit_code for kind in (InputError, GuardError, Interrupted)}
    service = _settings(SYSTEMD / "census-sweep.service")["Service"]
    assert set(map(int, service["RestartPreventExitStatus"].split())) == codes - {CensusError.exit_code}
    assert service["SuccessExitStatus"] == str(Interrupted.exit_code)


def test_the_page_has_every_unit_and_exit_code() -> None:
    """The page lists each service, when its timer starts it, and each exit code."""
    assert set(re.findall(r"^\| `(census-\w+\.service)` \|", PAGE, re.MULTILINE)) == {unit.name for unit in SERVICES}
    codes = {0, *(kind.exit_code for kind in (CensusError, InputError, GuardError, Interrupted))}
    assert set(map(int, re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE))) == codes


def test_the_container_copies_what_exists() -> None:
    """Every path that the Containerfile copies from the checkout is there, and what the wheel is built of is copied."""
    copied = {
        name for line in re.findall(r"^COPY (?!--from)(.*) \S+$", CONTAINERFILE, re.MULTILINE) for name in line.split()
    }
    assert [name for name in sorted(copied) if not (ROOT / name).exists()] == []
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    built = set(re.findall(r'"([^"]+)"', re.findall(r"^only-include = (.*)$", project, re.MULTILINE)[0]))
    assert built <= copied


def test_container_and_page_have_the_programs() -> None:
    """The image installs, and the page names, the Debian packages of the programs that a sweep calls; no test server."""
    final = CONTAINERFILE.rpartition("\nFROM ")[2]
    installed = set(re.findall(r"--no-install-recommends (.*?) \\", final)[0].split())
    assert installed == {"ca-certificates", "python3", *PROGRAMS.values()}
    assert f"apt-get install {' '.join(PROGRAMS.values())}" in PAGE
    assert re.search(r"^USER 900:900$", final, re.MULTILINE)
