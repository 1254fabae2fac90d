"""The form of README and the pages: wrapped lines, short sentences, plain English."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.texts import BANNED

ROOT = Path(__file__).parents[2]
#: Pages that a program writes from texts of the code; a lint of texts covers these texts.
GENERATED = {"tables.md", "views.md", "errors.md"}
#: Pages whose rows are mostly texts of the code, with the tests that compare them.
COMPARED = {"fingerprints.md", "outcomes.md", "wire.md", "tls.md", "owners.md", "fleet.md"}
PAGES = [
    *(path for name in ("README", "CONTRIBUTING", "SECURITY", "CHANGELOG") if (path := ROOT / f"{name}.md").exists()),
    *(path for path in sorted((ROOT / "docs").rglob("*.md")) if path.name not in GENERATED),
]
LONGEST_LINE = 120
MOST_WORDS = 30

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def _lines(page: Path) -> Iterator[str]:
    """The lines of a page outside of its code blocks, without the contents of code spans and the targets of links."""
    for number, part in enumerate(re.split(r"^```.*$", page.read_text("utf-8"), flags=re.MULTILINE)):
        if number % 2 == 0:
            text = re.sub(r"`[^`]*`", lambda span: re.sub(r"[^\n]", "`", span[0]), part)
            yield from re.sub(r"\]\([^)]*\)", "]", text).splitlines()


def _sentences(page: Path) -> Iterator[str]:
    """The sentences of a page's prose; each item of a list is a paragraph of its own, and tables are left out."""
    paragraph: list[str] = []
    for line in [*_lines(page), ""]:
        begins = re.match(r"\s*([-*>]|\d+\.) |\||#|$", line)
        if begins:
            yield from re.split(r"(?<=[.!?:;])\s+", " ".join(paragraph))
            paragraph = []
        if not re.match(r"\||#", line):
            paragraph.append(line.strip())


@pages
def test_lines_are_wrapped(page: Path) -> None:
    """No line of prose is longer than 120 characters; a row of a table may be."""
    prose = "".join(re.split(r"^```.*?^```", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL))
    assert [line for line in prose.splitlines() if len(line) > LONGEST_LINE and not line.startswith("|")] == []


@pages
def test_sentences_are_short(page: Path) -> None:
    """No sentence has more than 30 words."""
    assert [text for text in _sentences(page) if len(text.split()) > MOST_WORDS] == []


@pages
def test_words_are_plain(page: Path) -> None:
    """No sentence has a phrase of the lint of texts."""
    lines = [line for line in _lines(page) if page.name not in COMPARED or not line.startswith("|")]
    found = [(match[0], line) for line in lines for pattern, _ in BANNED for match in pattern.finditer(line)]
    assert found == []
