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


@pytest.mark.parametrize(("question", "query", "answer"), EXAMPLES, ids=[str(n) for n in range(1, len(EXAMPLES) + 1)])
def test_example(
    history_lake: Path, capsys: pytest.CaptureFixture[str], question: str, query: str, answer: str
) -> None:
    """`census sql --format csv` prints for each query the answer that the page shows."""
    sql.run(history_lake, query, "csv")
    assert capsys.readouterr().out.strip() == answer, question
