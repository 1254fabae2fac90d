"""The page for readers of a report."""

import re
from pathlib import Path

from pipeline.publish import markdown_report
from pipeline.publish.publisher import Publisher
from tests.publish.history import gathered

PAGE = Path(__file__).parents[2] / "docs" / "reading-the-report.md"
LAST = "20260629T030000Z-weekly"


def test_each_quotation_is_of_a_report() -> None:
    """Every sentence that the page quotes is in the report of the made-up history, word for word."""
    blocks = re.findall(r"(?:^> .*\n)+", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    quoted = [" ".join(line.removeprefix("> ") for line in block.splitlines()) for block in blocks]
    text = markdown_report.text(gathered(LAST), Publisher())
    assert len(quoted) > 10 and [sentence for sentence in quoted if sentence not in text] == []
