"""Where the files of a sweep lie in a lake."""

from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.lake import layout
from pipeline.lake.layout import SweepPaths


def test_a_sweep_without_a_plan_is_not_listed(tmp_path: Path) -> None:
    """A sweep whose plan is not yet there, or never was because its process was killed, is in no list and hides no other."""
    begun, killed = SweepPaths(tmp_path, "20260601T030000Z-weekly"), SweepPaths(tmp_path, "20260608T030000Z-weekly")
    killed.plan.parent.mkdir(parents=True)
    (killed.plan.parent / ".plan.json.0a1b2c").touch()
    assert layout.sweeps(tmp_path) == []
    with pytest.raises(InputError, match="has no sweep"):
        layout.find(tmp_path, None)
    begun.plan.parent.mkdir()
    begun.plan.touch()
    assert layout.sweeps(tmp_path) == [begun] and layout.find(tmp_path, None) == begun
    with pytest.raises(InputError, match=r"has no sweep '20260608T030000Z-weekly'; it has 20260601T030000Z-weekly$"):
        layout.find(tmp_path, killed.id)


def test_a_visibility_sweep_is_the_latest_of_nothing_else(tmp_path: Path) -> None:
    """Without an id a command takes the latest sweep that is no visibility sweep; with one, or if there is no other, it takes that."""
    whole, one = SweepPaths(tmp_path, "20260601T030000Z-weekly"), SweepPaths(tmp_path, "20260601T030000Z-weekly.one")
    assert (whole.is_visibility, one.is_visibility) == (False, True)
    for paths in (one, whole):
        for file in (paths.plan, paths.sealed("sweeps")):
            file.parent.mkdir(parents=True)
            file.touch()
        assert layout.find(tmp_path, None) == layout.find_sealed(tmp_path) == paths
    assert layout.find(tmp_path, one.id) == layout.find_sealed(tmp_path, one.id) == one
