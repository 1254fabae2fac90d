"""The output about a running sweep, for people and for scripts."""

import json
from pathlib import Path

import msgspec
import pytest

from pipeline.console import progress
from pipeline.lake import store
from pipeline.sweep import freeze, run

CONFIG = """
sweep = { name = "seen", ports = [104], seed = 1, rate = 100, shards = 1 }
targets = { include = ["11.0.0.0/24"] }
"""


def test_progress_as_json_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line is an object with the funnel of all workers so far; the last one says that the command has ended."""
    (tmp_path / "sweep.toml").write_text(CONFIG)
    frozen = freeze.freeze(tmp_path / "sweep.toml", tmp_path / "lake")
    sweep = run.begin(frozen, tmp_path / "lake")
    worker = {
        "updated": 0.0,
        "running": True,
        "counts": {"probed": 64, "responsive": 3, "echoed": 2, "silent": 1},
        "held": "",
    }
    for name in ("one", "other"):
        store.write(sweep.paths.progress / f"{name}.json", msgspec.json.encode(worker))
    with progress.watching(sweep, as_json=True):
        pass
    *_, last = map(json.loads, capsys.readouterr().out.splitlines())
    funnel = {"probed": 128, "responsive": 6, "visited": 6, "DICOM": 4, "accepting": 4, "echoed": 4}
    assert {name: last[name] for name in funnel} == funnel
    assert (last["sweep"], last["done"], last["running"]) == (frozen.sweep, 0.5, False)
    assert last["left_seconds"] == pytest.approx(1.3, abs=0.05)
