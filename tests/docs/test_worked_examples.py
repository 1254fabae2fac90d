"""The notebook of worked examples runs from top to bottom on the made-up history, and says what the history says of a series."""

import importlib.util
from pathlib import Path

import pytest

from pipeline.views import connect
from tests.publish.conftest import history_lake

__all__ = ["history_lake"]
NOTEBOOK = Path(__file__).parents[2] / "docs" / "worked_examples.py"


def test_the_notebook(history_lake: Path) -> None:
    """Each cell runs; its frames have the services, sweeps and shares of the newest sweep's series."""
    pytest.importorskip("marimo")
    spec = importlib.util.spec_from_file_location("worked_examples", NOTEBOOK)
    assert spec is not None and spec.loader is not None
    notebook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(notebook)
    _, defined = notebook.app.run(defs={"lake": str(history_lake), "name": "weekly"})
    with connect(history_lake) as con:
        services = con.execute("SELECT services FROM trend WHERE sweep = latest('weekly')").fetchall()[0][0]
        positions = con.execute("SELECT count(*) FROM series('weekly')").fetchall()[0][0]
    assert defined["countries"]["services"].sum() == services
    assert defined["trend"]["position"].to_list() == list(range(1, positions + 1))
    shares = defined["countries"].select("services", "accepting", "low", "high").iter_rows()
    assert all(low <= accepting / services <= high for services, accepting, low, high in shares)
    assert defined["kinds"]["services"].sum() <= services and len(defined["missed"]) == positions
    assert defined["joined"]["country"].to_list() == ["Germany", "United Kingdom", "United States"]
    assert defined["changes"]["stayed"].sum() > 0 and "mark" in str(defined["chart"].to_dict())
