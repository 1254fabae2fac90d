"""Nothing reaches a terminal but by the three places that make it harmless."""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from pipeline.console import output

ROOT = Path(__file__).parents[2]
#: The three places, and what they may do.
PLACES = ("pipeline/console/output.py", "pipeline/console/screen.py", "pipeline/logs.py")
#: Ways past them. `sys.stdout.isatty` and `fileno` print nothing.
PRINTING = {"print", "Console", "rich.print", "typer.echo", "typer.secho", "click.echo", "print_exc", "print_exception"}
STREAMS = {f"sys.{name}.{way}" for name in ("stdout", "stderr") for way in ("write", "writelines", "buffer")}
#: Programs that print for the testbed, which reads it.
FOR_PROGRAMS = "pipeline/testbed/"


class Facts(msgspec.Struct):
    text: str
    when: datetime


@dataclass(frozen=True, slots=True)
class Results:
    steps: list[Facts]


def test_text_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines keep their ends and lose what hides; JSON is ASCII, and the same after it is read."""
    output.text("one\n\x1b[31mtwo\u202e")
    output.json_line(Facts("\x9b\u202eü", datetime(2026, 1, 1, tzinfo=UTC)))
    output.json_line({"bytes": b"\x01"}, default=bytes.hex)
    output.json_line({"found": Results([Facts("a", datetime(2026, 1, 1, tzinfo=UTC))])})
    one, two, facts, data, results = capsys.readouterr().out.splitlines()
    assert (one, two) == ("one", "\\x1b[31mtwo\\u202e")
    assert facts.isascii() and json.loads(facts) == {"text": "\x9b\u202eü", "when": "2026-01-01T00:00:00Z"}
    assert json.loads(data) == {"bytes": "01"}
    assert json.loads(results) == {"found": {"steps": [{"text": "a", "when": "2026-01-01T00:00:00Z"}]}}


def ways_past(path: Path) -> Iterator[str]:
    """Yield the calls of a file that print by themselves."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in PRINTING or name.rpartition(".")[2] in ("print_exc", "print_exception", "secho"):
                yield name
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in STREAMS:
            yield ast.unparse(node)


def test_nothing_prints_past_them() -> None:
    """No other file of the program calls what prints."""
    files = (path for package in ("pipeline", "flows") for path in sorted((ROOT / package).rglob("*.py")))
    found = {path.relative_to(ROOT).as_posix(): list(ways_past(path)) for path in files}
    assert {
        name: calls
        for name, calls in found.items()
        if calls and name not in PLACES and not name.startswith(FOR_PROGRAMS)
    } == {}
    assert all(found[name] for name in PLACES if name != "pipeline/console/screen.py")
