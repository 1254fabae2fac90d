"""The list of a lake's sweeps, one on each line."""

import json
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
    assert working.began and abs((datetime.now(UTC) - working.began).total_seconds() - 60) < 20


def test_an_enriched_sweep_is_marked(lake: Path) -> None:
    """A sweep is enriched once the last table of enrichment exists."""
    sealed = next(overview.sweeps(lake))
    store.write(SweepPaths(lake, sealed.sweep).sealed(ENRICHED), b"")
    assert next(overview.sweeps(lake)).enriched


def test_a_folder_that_is_no_lake_is_refused(tmp_path: Path) -> None:
    """Without a folder of plans there is nothing to list, and the message says so."""
    with pytest.raises(InputError, match="is not a lake"):
        overview.sweeps(tmp_path)
