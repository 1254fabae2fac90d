"""The views, the queries of docs/sql.md and `census sql` with the newest DuckDB that pyproject.toml allows."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.testbed.running import ROOT

UV = str(Path(sys.executable).with_name("uv"))
#: A lake with every view and mart, the queries on it, and what is printed of them; `make newest` runs more.
TESTS = (
    "tests/analysis/test_checks.py",
    "tests/console/test_result_formats.py",
    "tests/console/test_sql.py::test_the_views_are_ready_in_the_command_line_of_duckdb",
    "tests/docs/test_worked_examples.py",
    "tests/publish/test_docs_sql.py",
    "tests/tools/test_views_page.py",
    "tests/views/test_database.py",
)
pytestmark = pytest.mark.timeout(900)


def installed(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """What uv does to put the newest DuckDB that is allowed into a folder, from its cache or the registry."""
    allowed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    (duckdb,) = (text for text in allowed if text.startswith("duckdb"))
    command = [UV, "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target", str(folder), *options, duckdb]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which the newest DuckDB comes before the installed one."""
    folder = tmp_path_factory.mktemp("newest")
    if installed(folder).returncode and (done := installed(folder, "--offline")).returncode:
        pytest.skip(f"no registry and no cache has DuckDB: {done.stderr}")
    paths = [str(folder), str(ROOT), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": ":".join(filter(None, paths))}


def test_all_hold(environ: dict[str, str]) -> None:
    """Every view, mart and check can be made, and every query of docs/sql.md is right, with the newest DuckDB, too."""
    version = [sys.executable, "-c", "import duckdb; print(duckdb.__version__, duckdb.__file__)"]
    print(subprocess.run(version, env=environ, capture_output=True, text=True, check=True).stdout)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *TESTS]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
