"""The examples of docs/sql.md: each query gives the answer that the page shows."""

import re
from pathlib import Path

import pytest

from pipeline.console import sql

ROOT = Path(__file__).parents[2]
EXAMPLES = re.findall(
    r"## \d+\. (.+?)\n\n```sql\n(.+?)\n```\n\n```csv\n(.+?)\n```", (ROOT / "docs" / "sql.md").read_text("utf-8"), re.S
)


def test_there_are_fifteen() -> None:
    """The page shows fifteen examples, each with its query and its answer."""
    assert len(EXAMPLES) == 15


def test_examples(history_lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`census sql --format csv` prints for each query the answer that the page shows, all over one connection."""
    marked = [f"SELECT {number} AS example;\n{query}" for number, (_, query, _) in enumerate(EXAMPLES)]
    sql.run(history_lake, ";\n".join(marked), "csv")
    printed = re.split(r'^"example"\n\d+\n', capsys.readouterr().out, flags=re.MULTILINE)[1:]
    assert [text.strip() for text in printed] == [answer for _, _, answer in EXAMPLES]
