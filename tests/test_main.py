"""The command line as a whole: every command explains itself, and errors are one line with an exit code."""

import re
import subprocess
import sys

import pytest
from typer.main import get_command

from pipeline.__main__ import app
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


def test_the_command_line_starts_light() -> None:
    """Importing the command line loads neither Prefect nor pynetdicom nor Altair."""
    code = "import sys, pipeline.__main__; print({'prefect', 'pynetdicom', 'altair', 'duckdb'} & set(sys.modules))"
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
