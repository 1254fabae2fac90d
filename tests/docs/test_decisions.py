"""The pages of docs/decisions: numbered consecutively, each with a title, a status and a date, and listed with these."""

import re
from datetime import date
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "decisions"
PAGES = sorted(FOLDER.glob("[0-9]*.md"))
#: Numbers that are given to pages which come later.
BEING_WRITTEN = (42,)
HEAD = re.compile(r"# (\d+)\. (.+)\n\nStatus: (accepted|superseded by decision (\d+))\. Date: (\S+)\.\n\n")


def test_they_are_numbered_in_a_row() -> None:
    """The pages have the numbers from 1 on, each once, but for those that are being written."""
    numbers = [int(page.name[:4]) for page in PAGES]
    assert sorted({*numbers, *BEING_WRITTEN}) == list(range(1, numbers[-1] + 1)) and len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_has_a_head(page: Path) -> None:
    """A page begins with number and title, status and date; a superseding page has a later number."""
    head = HEAD.match(page.read_text("utf-8"))
    assert head
    assert int(head[1]) == int(page.name[:4])
    assert date.fromisoformat(head[5])
    assert head[4] is None or int(head[1]) < int(head[4]) <= int(PAGES[-1].name[:4])


def test_the_index_lists_them() -> None:
    """The index has a line for each page, with the page's title, status and date."""
    heads = [(page.name, HEAD.match(page.read_text("utf-8"))) for page in PAGES]
    expected = [f"| {head[1]} | [{head[2]}]({name}) | {head[3]} | {head[5]} |" for name, head in heads if head]
    lines = (FOLDER / "README.md").read_text("utf-8").splitlines()
    assert [line for line in lines if re.match(r"\| \d", line)] == expected
