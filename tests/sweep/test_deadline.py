"""A sweep that may run for a time only."""

import subprocess
import time
from pathlib import Path

import pytest

from pipeline.errors import Interrupted
from pipeline.lake import layout, verify
from pipeline.plan import plan as planning
from pipeline.sweep import freeze
from pipeline.sweep.deadline import deadline
from tests.sweep.test_run import around
from tests.testbed.running import ROOT, environment, in_testbed


def test_it_passes_once() -> None:
    """The check is silent before its time and raises Interrupted afterwards; without a time it never raises."""
    check, never = deadline(0.05), deadline(None)
    check()
    time.sleep(0.06)
    never()
    with pytest.raises(Interrupted, match=r"--max-runtime is over \(0\.05 s\); run again with --resume"):
        check()


def test_a_sweep_ends_after_its_time_and_is_continued(tmp_path: Path) -> None:
    """`--max-runtime` ends the work with exit code 130 and one sentence; the next run finishes it, and all adds up."""
    plan = freeze.freeze(around(tmp_path, 28, rate=1000, shards=2))
    (tmp_path / "plan.json").write_bytes(planning.encode(plan))
    work = ["work", str(tmp_path / "plan.json"), "--lake", str(tmp_path / "lake")]

    def run(*options: str) -> tuple[int, str]:
        command = in_testbed(*work, *options)
        ended = subprocess.run(
            command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=240
        )
        return ended.returncode, ended.stderr

    code, output = run("--max-runtime", "2s")
    assert code == 130 and output.count("census: ") == 1
    assert "the time of --max-runtime is over (2 s)" in output
    sweep = layout.open_sweep(tmp_path / "lake", None)
    assert any(verify.faults(sweep))
    assert run("--max-runtime", "1h")[0] == 0
    assert not any(verify.faults(sweep))
