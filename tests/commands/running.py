"""Running `census` as people do: in a process of its own, with a small configuration."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFIG = """
[sweep]
name = "{name}"
ports = [104]
seed = 1
rate = 100
[targets]
include = ["{include}"]
[identity]
{identity}
"""
IDENTITY = 'ae_title = "LAB"\ncontact = "a@example.org"\nurl = "https://example.org"\nauthorised_by = "nobody"'


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    returncode: int
    stdout: str
    stderr: str


#: The command line in the process of the test.
Census = Callable[..., Ended]


def census(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; nothing of it leaves a testbed."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=ROOT,
        env=os.environ | {"CENSUS_ONLY_TESTBED": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def write_config(folder: Path, *, name: str = "x", include: str = "198.51.99.0/24", identity: str = IDENTITY) -> str:
    """Write a configuration and return its path."""
    path = folder / "config.toml"
    path.write_text(CONFIG.format(name=name, include=include, identity=identity), "utf-8")
    return str(path)
