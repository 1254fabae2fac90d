"""The output about a running sweep, for people and for scripts."""

import json
import time
from pathlib import Path

import msgspec
import pytest

from pipeline.console import progress
from pipeline.lake import store
from pipeline.plan import timing
from pipeline.status import snapshot
from pipeline.sweep import freeze, run

CONFIG = """
sweep = { name = "seen", ports = [104], seed = 1, rate = 100, shards = 1 }
targets = { include = ["11.0.0.0/24"] }
"""


def test_progress_as_json_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line is an object with the funnel of all workers so far; the last one says that the command has ended.

    The time that is left has the cool-down in it, and a limit is told.
    """
    (tmp_path / "sweep.toml").write_text(CONFIG)
    frozen = freeze.freeze(tmp_path / "sweep.toml", tmp_path / "lake")
    sweep = run.begin(frozen, tmp_path / "lake")
    counts = {"probed": 64, "responsive": 3, "echoed": 2, "silent": 1}
    worker = {
        "updated": time.time(),
        "running": True,
        "counts": counts,
        "unfinished": counts,
        "rate": 12.5,
        "limit": 20,
        "held": "",
    }
    for name in ("one", "other"):
        store.write(sweep.paths.progress / f"{name}.json", msgspec.json.encode(worker))
    with progress.watching(sweep, as_json=True):
        pass
    *_, last = map(json.loads, capsys.readouterr().out.splitlines())
    funnel = {"probed": 128, "responsive": 6, "visited": 6, "speaks_dicom": 4, "accepts_association": 4, "echoes": 4}
    assert {name: last[name] for name in funnel} == funnel
    assert (last["sweep"], last["state"], last["running"]) == (frozen.sweep, "running", False)
    whole, left = (timing.left(frozen, targets, 100) for targets in (256, 128))
    assert last["done"] == pytest.approx(1 - left / whole, abs=0.001)
    assert last["left_seconds"] == pytest.approx(128 * 1.02 / 40 + timing.cooling(frozen), abs=0.1)
    assert (last["rate"], last["limit"], last["hit_rate"]) == (25, 20, 6 / 128)


def test_the_line_for_people(tmp_path: Path) -> None:
    """The line has the rate now and on average, the hit rate, the limit, and what is left in words."""
    (tmp_path / "sweep.toml").write_text(CONFIG)
    sweep = run.begin(freeze.freeze(tmp_path / "sweep.toml", tmp_path / "lake"), tmp_path / "lake")
    now, counts = time.time(), {"probed": 100, "responsive": 2}
    worker = {
        "began": now - 4,
        "updated": now,
        "running": True,
        "counts": counts,
        "unfinished": counts,
        "rate": 30,
        "limit": 50,
    }
    store.write(sweep.paths.progress / "one.json", msgspec.json.encode(worker))
    line = progress._line(snapshot.status(sweep), 75)
    assert "30/s now (25/s avg)  limited to 50/s  hits 2.00%  after 1 min 15 s  ETA 14 s" in line
    store.write(sweep.paths.progress / "one.json", msgspec.json.encode(worker | {"held": "a hospital calls"}))
    assert progress._line(snapshot.status(sweep), 75).endswith("paused: a hospital calls")
    store.write(
        sweep.paths.progress / "one.json",
        msgspec.json.encode(worker | {"running": False, "rate": 0, "sent_at": now - 2}),
    )
    line = progress._line(snapshot.status(sweep), 75)
    assert "% of the time  probed" in line
    assert "  50/s avg  " in line and line.endswith("  starting")
    store.write(sweep.paths.progress / "one.json", msgspec.json.encode(worker))
    store.write(sweep.paths.sealed("sweeps"), b"")
    assert progress._line(snapshot.status(sweep), 75).endswith("  sealed")
