"""Results on standard output: JSON lines of a sweep that is sealed, or not yet."""

import json
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from tests.commands.running import ROOT, Census
from tests.testbed.running import CENSUS

LAKES = ROOT / "tests" / "data" / "lakes"


@pytest.mark.parametrize("lake", ["sealed", "swept"])
def test_every_answer_is_a_line(census: Census, lake: str) -> None:
    """Each target that answered is an object with a dotted address and its outcome, from sealed tables and from parts alike."""
    rows = [json.loads(line) for line in census("results", LAKES / lake).stdout.splitlines()]
    counted = json.loads(census("sweeps", LAKES / lake, "--json").stdout)
    assert rows and len({(row["address"], row["port"]) for row in rows}) == len(rows)
    assert (
        sum(row["outcome"] in ("echoed", "accepted", "accepted_no_verification", "rejected", "aborted") for row in rows)
        == (counted["services"])
    )


def test_any_table_is_printed(census: Census) -> None:
    """`--table` names another table; bytes are hexadecimal and times ISO 8601. An unknown one is refused with all that there are."""
    first = json.loads(census("results", LAKES / "sealed", "--table", "associations").stdout.splitlines()[0])
    assert bytes.fromhex(first["raw"])
    answer = json.loads(census("results", LAKES / "sealed").stdout.splitlines()[0])
    assert datetime.fromisoformat(answer["answered_at"]).tzinfo is not None
    refused = census("results", LAKES / "sealed", "--table", "answers")
    assert refused.returncode == 2 and "--table: 'answers' is not a table; there are associations" in refused.stderr


def test_a_reader_may_leave(tmp_path: Path) -> None:
    """A reader that closes the pipe early, as `head` does, ends the command without a traceback."""
    shutil.copytree(LAKES / "sealed", tmp_path / "lake")
    command = f"{' '.join(CENSUS)} results {tmp_path / 'lake'} --table receipts | head -c 1"
    ended = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr) == ("{", "")


def test_enriching_says_what_it_did(census: Census, tmp_path: Path) -> None:
    """`census enrich` prints how much it has placed and judged, and the databases by name and build."""
    shutil.copytree(LAKES / "sealed", tmp_path / "lake")
    done = census("enrich", tmp_path / "lake")
    assert done.returncode == 0
    counts, first, second, networks = done.stderr.splitlines()
    assert re.search(
        r": [1-9]\d* addresses are placed, [1-9]\d* conversations judged, and the marts are built$", counts
    )
    assert "built 20" in first and "built 20" in second and first != second
    assert networks == "networks: not known, since the plan has no network database"
