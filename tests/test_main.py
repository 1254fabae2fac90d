import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from pipeline.__main__ import app

ROOT = Path(__file__).parents[1]
CONFIG = """
[sweep]
name = "x"
ports = [104]
seed = 1
rate = 100
[targets]
include = ["{include}"]
[identity]
{identity}
"""
IDENTITY = 'ae_title = "LAB"\ncontact = "a@example.org"\nurl = "https://example.org"\nauthorised_by = "nobody"'
COMMANDS = sorted(get_command(app).commands)  # type: ignore[attr-defined]


def census(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=ROOT,
        env=os.environ | {"CENSUS_ONLY_TESTBED": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def write(folder: Path, *, include: str = "198.51.99.0/24", identity: str = IDENTITY) -> str:
    path = folder / "config.toml"
    path.write_text(CONFIG.format(include=include, identity=identity), "utf-8")
    return str(path)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches(command: str) -> None:
    """`--help` of every command explains it and ends with exit code 0."""
    shown = census(command, "--help")
    assert shown.returncode == 0
    assert "Usage:" in shown.stdout


def test_the_command_line_starts_light() -> None:
    """Importing the command line loads neither Prefect nor pynetdicom nor Altair."""
    code = "import sys, pipeline.__main__; print({'prefect', 'pynetdicom', 'altair', 'duckdb'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert loaded.stdout.strip() == "set()"


def test_a_sweep_outside_a_testbed_is_refused(tmp_path: Path) -> None:
    """Under CENSUS_ONLY_TESTBED even a complete identity does not let a sweep out; the exit code is 3."""
    refused = census("sweep", write(tmp_path), "--lake", str(tmp_path / "lake"))
    assert refused.returncode == 3
    assert "testbed" in refused.stderr
    assert not (tmp_path / "lake").exists()


def test_guards_come_before_interfaces(tmp_path: Path) -> None:
    """A sweep that is refused and names an interface that does not exist is refused for the guard's reason."""
    identity = IDENTITY + '\n[probe]\ninterface = "no-such-interface"'
    refused = census("sweep", write(tmp_path, identity=identity), "--lake", str(tmp_path / "lake"))
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
    refused = census("plan", write(tmp_path, include=include, identity=identity))
    assert refused.returncode == 2
    assert reason in refused.stderr
    assert "config.toml" in refused.stderr


def test_a_changed_plan_is_refused(tmp_path: Path) -> None:
    """A plan that was edited after it was frozen is refused with exit code 3."""
    plan = tmp_path / "plan.json"
    assert census("plan", write(tmp_path), "-o", str(plan)).returncode == 0
    plan.write_text(plan.read_text("utf-8").replace('"seed":1', '"seed":2'), "utf-8")
    refused = census("work", str(plan), "--lake", str(tmp_path / "lake"))
    assert refused.returncode == 3
    assert "digest" in refused.stderr


def test_a_missing_argument_is_named() -> None:
    """A command without its argument ends with exit code 2 and says which one is missing."""
    refused = census("plan")
    assert refused.returncode == 2
    assert "CONFIG" in refused.stderr.upper()


def test_identity_writes_what_the_measured_read(tmp_path: Path) -> None:
    """The page and the probe description are laid out as the web server has them."""
    done = census("identity", write(tmp_path), "-o", str(tmp_path / "public"))
    assert done.returncode == 0, done.stderr
    assert "a@example.org" in (tmp_path / "public" / "index.html").read_text()
    assert "Contact: mailto:a@example.org\n" in (tmp_path / "public/.well-known/probing.txt").read_text()


@pytest.mark.parametrize(
    ("identity", "options", "said"),
    [
        (IDENTITY, (), "give -o FOLDER"),
        ('ae_title = "LAB"', ("-o", "x"), "key identity.contact: is required"),
        (IDENTITY, ("--check", "--source", "example.org"), "--source: 'example.org' is not an IPv4 address"),
    ],
)
def test_identity_with_bad_input(tmp_path: Path, identity: str, options: tuple[str, ...], said: str) -> None:
    """What is missing is named, exit code 2."""
    done = census("identity", write(tmp_path, identity=identity), *options)
    assert done.returncode == 2 and said in done.stderr, done.stderr
