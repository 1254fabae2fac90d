"""The page of views is that of the catalogue, and its keys are keys."""

from pathlib import Path

import duckdb
import pytest

from pipeline.views import outcome_macros, views
from tests.analysis import lake
from tests.publish.conftest import history_con, history_lake
from tools import views_page

__all__ = ["history_con", "history_lake"]
PAGE = (Path(__file__).parents[2] / "docs" / "views.md").read_text("utf-8")


def test_page_is_current() -> None:
    """`docs/views.md` is what `analysis/` gives: `python -m tools.views_page > docs/views.md` writes it."""
    assert views_page.page() == PAGE


def test_every_column_and_macro_is_told() -> None:
    """Each view has its heading and question, each of its columns a row with a meaning, and each macro a row."""
    con = lake.connect()
    for query in views.definitions():
        section = PAGE.partition(f"\n## {query.name}\n")[2].partition("\n## ")[0]
        assert query.question.replace("<", "&lt;") in section
        rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| `")]
        assert [row[0] for row in rows] == [f"| `{name}`" for name, _ in views_page.columns(con, query.name)]
        assert all(row[-1].endswith((". |", ") |")) for row in rows), query.name
    macros = PAGE.partition("\n## Macros\n")[2]
    assert all(f"| `{name}(" in macros for name in (*outcome_macros.MACROS, *(m.name for m in views.macro_files())))


@pytest.mark.parametrize(
    "view", ["countries", "exposed_2026_11", "networks", "totals", "transitions", "tls", "network_kinds"]
)
def test_a_key_is_a_key(history_con: duckdb.DuckDBPyConnection, view: str) -> None:
    """No two rows of a view have the same key, so that a join by it doubles nothing."""
    keys = ", ".join(views.view(view).keys)
    ((rows, distinct),) = history_con.execute(f"SELECT count(*), count(DISTINCT ({keys})) FROM {view}").fetchall()
    assert rows == distinct > 0
