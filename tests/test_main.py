"""The command line as a whole: every command explains itself, and errors are one line with an exit code."""

import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.main import get_command

from pipeline import checkout
from pipeline.commands.app import app
from tests.commands.running import ROOT, census

#: Every command, those of a group by both words.
COMMANDS = sorted(
    name if not hasattr(command, "commands") else f"{name} {inner}"
    for name, command in get_command(app).commands.items()  # type: ignore[attr-defined]
    for inner in getattr(command, "commands", [""])
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches(command: str) -> None:
    """`--help` of every command explains the command in one sentence, shows an example, and explains every option."""
    done = census(*command.split(), "--help")
    assert done.returncode == 0
    usage, sentence, example, *_ = [part for part in done.stdout.split("\n\n") if part.strip()]
    assert usage.startswith("Usage:")
    assert re.fullmatch(r"\s*[A-Z][^\n]*\.(\s+[A-Z][^\n]*\.)?", sentence.rstrip()), sentence
    assert f"census {command} " in example
    *_, options = re.split(r"^Arguments:\n", done.stdout, flags=re.MULTILINE)
    assert not re.findall(r"^  --?\w[\w-]*(?:, --[\w-]+)?(?: \S+)?$\n(?!  {8})", options, re.MULTILINE)


def test_commands_are_listed_by_what_they_are_for() -> None:
    """`census --help` has every command under its heading, each with a sentence that fits its line, and the exit codes."""
    page = census("--help").stdout
    for heading in ("Run a sweep:", "Get its results:", "Respect opt-outs, pause and slow down:", "Set up:"):
        assert f"\n{heading}\n" in page
    for name in {command.split()[0] for command in COMMANDS}:
        assert re.search(rf"^  {name} +[A-Z].*[^.]\.$", page, re.MULTILINE), name
    assert "Exit codes: 0 done" in page


def test_a_summary_is_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a narrow screen the summaries of commands are wrapped, and none ends in dots."""
    monkeypatch.setenv("COLUMNS", "40")
    assert "..." not in census("--help").stdout.replace("[ARGS]...", "")


@pytest.mark.parametrize("command", ["", "sweep", "own", "testbed run"])
def test_h_is_help(command: str) -> None:
    """`-h` prints what `--help` prints, for the program, a command, a group and a command of a group."""
    short, whole = census(*command.split(), "-h"), census(*command.split(), "--help")
    assert (short.returncode, short.stdout) == (0, whole.stdout)


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_is_that_of_plans(option: str) -> None:
    """The version has the digest of the code, as every plan does, and names Python and the libraries."""
    first, system, libraries = census(option).stdout.splitlines()
    assert first == f"census {checkout.code()}"
    assert system.startswith(f"Python {platform.python_version()}, Linux")
    assert f"duckdb {version('duckdb')}" in libraries and "prefect" in libraries


def test_a_shell_completes_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """bash gets the commands that begin as the word does; `--install-completion` is there."""
    for name, value in {"_CENSUS_COMPLETE": "complete_bash", "COMP_WORDS": "census st", "COMP_CWORD": "1"}.items():
        monkeypatch.setenv(name, value)
    assert census().stdout.split() == ["status", "stop"]


def test_quiet_prints_no_message(tmp_path: Path) -> None:
    """With `-q` a command that succeeds prints nothing on standard error; errors are still printed. It may come first."""
    register = str(tmp_path / "optout.jsonl")
    assert census("optout", register, "add", "192.0.2.0/24", "--who", "NOC", "-q").stderr == ""
    assert census("optout", register, "add", "192.0.2.0/24", "--who", "NOC").stderr
    refused = census("-q", "go", register)
    assert refused.returncode == 2 and "is not stopped" in refused.stderr


def test_verbose_shows_where_an_error_arose(tmp_path: Path) -> None:
    """With `-v` an error comes with its traceback; without it is one line."""
    config = str(tmp_path / "none.toml")
    assert "Traceback" in census("plan", config, "-v").stderr and "Traceback" in census("-v", "plan", config).stderr
    assert census("plan", config).stderr.count("\n") == 1


def test_the_command_line_starts_light() -> None:
    """Importing the command line loads neither Prefect nor pynetdicom nor Altair; its main module loads nothing."""
    heavy = {
        "pipeline.commands.app": {"prefect", "pynetdicom", "altair", "duckdb"},
        "pipeline.__main__": {"typer", "pipeline.host"},
    }
    for module, names in heavy.items():
        code = f"import sys, {module}; print({names} & set(sys.modules))"
        loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert loaded.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("plan",), "CONFIG"),
        (("nonsense",), "No such command 'nonsense'"),
        (("verify", "lake", "--colour"), "--colour"),
    ],
)
def test_a_wrong_command_line_is_named(arguments: tuple[str, ...], message: str) -> None:
    """Missing or unknown words of the command line are reported on one line, with exit code 2."""
    refused = census(*arguments)
    assert refused.returncode == 2
    assert refused.stderr.startswith("census: command line: ") and message in refused.stderr
    assert refused.stderr.count("\n") == 1
