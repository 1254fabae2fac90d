"""The data dictionary is that of the schemas."""

from pathlib import Path

from pipeline import schema
from tools import tables_page


def test_page_is_current() -> None:
    """`docs/tables.md` is what the schemas give: `python -m tools.tables_page > docs/tables.md` writes it."""
    assert (Path(__file__).parents[2] / "docs" / "tables.md").read_text("utf-8") == tables_page.page()


def test_every_column_is_told() -> None:
    """Each table has its heading, and each column a row with its type and its meaning."""
    page = tables_page.page()
    for table in schema.tables():
        section = page.partition(f"## {table.name}\n")[2].partition("\n## ")[0]
        for column in table.columns:
            assert f"| `{column.name}` | {column.type} | {column.meaning}" in section
