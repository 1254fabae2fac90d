"""The list of a lake's sweeps, one on each line."""

import json
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from pipeline.errors import InputError
from pipeline.lake import store
from pipeline.lake.layout import ENRICHED, SweepPaths
from pipeline.status import overview
from pipeline.sweep import freeze, run
from tests.commands.running import write_config
from tests.lake import old

NAMES = ("a-sealed", "b-changed", "c-begun", "d-working")


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A lake with a sealed sweep, a sweep with a changed plan, a sweep that was begun and a sweep at work."""
    first, *_ = plans = [freeze.freeze(Path(write_config(tmp_path, name=name))) for name in NAMES]
    old.lake(tmp_path / "lake", msgspec.to_builtins(first), old.AGES["before spared"], sealed=True)
    store.write(tmp_path / "lake" / "optout.jsonl", b"")
    sweeps = [run.begin(plan, tmp_path / "lake") for plan in plans[1:]]
    store.write(sweeps[0].paths.plan, b"{}")
    now = time.time()
    counts = {"probed": 5, "responsive": 1}
    note = {"began": now - 60, "updated": now, "running": True, "counts": counts, "held": ""}
    store.write(sweeps[-1].paths.progress / "w.json", json.dumps(note).encode())
    return tmp_path / "lake"


def test_every_sweep_has_its_line(lake: Path) -> None:
    """Sweeps are listed oldest first, each with state, beginning, targets and share; an unreadable sweep hides no other sweep."""
    sealed, changed, begun, working = overview.sweeps(lake)
    assert (sealed.state, sealed.done, sealed.targets) == ("sealed", 1.0, 256)
    assert (sealed.sealed, sealed.enriched) == (True, False) and sealed.sweep.endswith("-a-sealed")
    assert (changed.state, changed.targets, changed.done, changed.began) == ("unreadable", None, None, None)
    assert (begun.state, begun.began, begun.done, begun.services) == ("begun", None, 0.0, 0)
    assert (begun.series, changed.services) == ("c-begun", None)
    assert (working.state, working.sealed) == ("running", False)
    store.write(SweepPaths(lake, begun.sweep).receipt("000-000000"), b"")
    assert [each.state for each in overview.sweeps(lake)] == ["sealed", "unreadable", "unreadable", "running"]
    assert working.began and abs((datetime.now(UTC) - working.began).total_seconds() - 60) < 20


def test_a_sweep_that_nobody_will_finish_is_given_up(lake: Path) -> None:
    """A sweep that is not finished is `given up` once a later one of its series has begun, unless somebody works on it."""
    earlier = next(each for each in overview.sweeps(lake) if each.series == "c-begun")
    for series in ("c-begun", "d-working"):
        shutil.copytree(lake / "plans" / f"sweep={earlier.sweep}", lake / "plans" / f"sweep=20991231T000000Z-{series}")
    states = [(each.series, each.state) for each in overview.sweeps(lake)][2:4]
    assert states == [("c-begun", "given up"), ("d-working", "running")]


def test_a_sealed_sweep_began_with_its_first_worker(lake: Path) -> None:
    """A sweep whose first ranges were run again did not begin with these: its first worker's progress says when it did."""
    sealed = next(overview.sweeps(lake))
    began = old.WHEN.timestamp() - 7200
    store.write(SweepPaths(lake, sealed.sweep).progress / "w.json", json.dumps({"began": began}).encode())
    again = next(overview.sweeps(lake)).began
    assert sealed.began == old.WHEN and again and again.timestamp() == began


def test_an_enriched_sweep_is_marked(lake: Path) -> None:
    """A sweep is enriched once the last table of enrichment exists."""
    sealed = next(overview.sweeps(lake))
    store.write(SweepPaths(lake, sealed.sweep).sealed(ENRICHED), b"")
    assert next(overview.sweeps(lake)).enriched


def test_a_folder_that_is_no_lake_is_refused(tmp_path: Path) -> None:
    """Without a folder of plans there is nothing to list, and the message says so."""
    with pytest.raises(InputError, match="is not a lake"):
        overview.sweeps(tmp_path)
