"""Rows as ranges are done: each once, also across the seal."""

import shutil
from pathlib import Path

import pytest

from pipeline.lake import follow, layout
from pipeline.sweep import run

LAKES = Path(__file__).parents[1] / "data" / "lakes"


def test_a_row_comes_once_across_the_seal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What parts and the sealed table both have is yielded once, and the rows end when the sweep is sealed."""
    shutil.copytree(LAKES / "swept", tmp_path / "lake")
    sweep = layout.open_sweep(tmp_path / "lake", None)
    expected = list(follow.rows(sweep.paths, "responses"))
    monkeypatch.setattr(follow, "LOOK_SECONDS", 0.01)
    rows = follow.rows(sweep.paths, "responses", until_sealed=True)
    before = [next(rows) for _ in range(3)]
    run.seal(sweep)
    after = list(rows)
    key = "ip", "port"
    assert sorted((row[key[0]], row[key[1]]) for row in before + after) == sorted(
        (row["ip"], row["port"]) for row in expected
    )


def test_a_sweep_without_rows_has_none(tmp_path: Path) -> None:
    """A sweep in which no range is done has no rows, and is not waited for."""
    shutil.copytree(LAKES / "swept", tmp_path / "lake")
    paths = layout.find(tmp_path / "lake", None)
    shutil.rmtree(paths.receipts)
    assert list(follow.rows(paths, "responses")) == []
