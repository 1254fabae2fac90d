"""The lines of docs/sql.md for other programs do what the page says, where the program is at hand."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline import schema
from pipeline.views import connect, database
from tests.publish.conftest import history_lake

__all__ = ["history_lake"]
#: Where `make setup` installs pandas, apart from the packages of the tests.
FRAMES = Path(sys.prefix) / "frames"
#: The exit code of a program that lacks a package.
MISSING = 77
PAGE = (Path(__file__).parents[2] / "docs" / "sql.md").read_text("utf-8")
SECTION = PAGE.partition("## From other programs\n")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"```(python|r)\n(.+?)\n```", SECTION, re.DOTALL)


@pytest.fixture(scope="module")
def beside(history_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the lake is called `lake`, with its database."""
    folder = tmp_path_factory.mktemp("beside")
    shutil.copytree(history_lake, folder / "lake")
    database.write(folder / "lake")
    return folder


def run(block: str, folder: Path, result: str) -> Any:
    """The value of an expression, as JSON, after a block ran in a folder; skips where a package that the block imports is not."""
    packages = re.findall(r"^(?:import|from) (\w+)", block, re.MULTILINE)
    needs = f"import json, sys\nfrom importlib.util import find_spec\nall(map(find_spec, {packages})) or sys.exit({MISSING})"
    script = f"{needs}\n{block}\nprint(json.dumps({result}, default=str))"
    environ = os.environ | {"PYTHONPATH": str(FRAMES)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120)
    if done.returncode == MISSING:
        pytest.skip(f"not installed: one of {', '.join(packages)}")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def block(word: str) -> str:
    """The one block of Python that contains a word."""
    (found,) = (text for language, text in BLOCKS if language == "python" and word in text)
    return found


def test_there_are_six() -> None:
    """The section has five blocks of Python and one of R."""
    assert [language for language, _ in BLOCKS] == ["python"] * 5 + ["r"]


def test_the_helper(beside: Path) -> None:
    """The connection gives a frame of pandas, one of polars or a table of Arrow."""
    services = "dict(zip(countries['country'], map(int, countries['services'])))"
    assert run(block("from pipeline.views"), beside, services)["SG"] == 4


def test_the_database(beside: Path) -> None:
    """DuckDB alone reads the file of the lake."""
    assert run(block("census.duckdb"), beside, 'con.execute("SELECT count(*) FROM sweeps").fetchone()') == [15]


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_frames(beside: Path, package: str) -> None:
    """Each package reads all responses of all sweeps, and makes the text of addresses that the view has."""
    columns = "[responses[name].to_list() for name in ('sweep', 'address', 'port')]"
    rows = zip(*run(block(f"import {package}\n"), beside, columns), strict=True)
    with connect(beside / "lake") as con:
        told = con.execute("SELECT sweep, address, port FROM responses ORDER BY ALL").fetchall()
    assert sorted((str(sweep), address, port) for sweep, address, port in rows) == told


def test_meanings(beside: Path) -> None:
    """A file says what its columns mean."""
    meanings = run(block("meanings"), beside, "meanings")
    assert meanings == {column.name: column.meaning for column in schema.table("responses").columns}


def test_r(beside: Path) -> None:
    """R reads all responses, where R and its packages arrow and dplyr are at hand."""
    if not shutil.which("Rscript"):
        pytest.skip("R is not installed")
    (text,) = (text for language, text in BLOCKS if language == "r")
    needs = f"if (!all(sapply(c('arrow', 'dplyr'), requireNamespace, quietly = TRUE))) quit(status = {MISSING})"
    script = f"{needs}\n{text}\ncat(nrow(responses))"
    done = subprocess.run(["Rscript", "-e", script], cwd=beside, capture_output=True, text=True, timeout=120)
    if done.returncode == MISSING:
        pytest.skip("R has no packages arrow and dplyr")
    with connect(beside / "lake") as con:
        assert con.execute("SELECT count(*) FROM responses").fetchone() == (int(done.stdout.split()[-1]),), done.stderr
