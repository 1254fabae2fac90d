"""A lint of the texts that people read: `python -m tools.texts` prints file:line, the phrase, and the replacement.

It reads the help of the commands, error messages and report sentences (every string of the code that is prose), the headers of
the SQL files, the descriptions in the schemas, and the templates of the pages.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]

#: Phrases that a native reader stumbles over, and their replacements.
INSTEAD = {
    r"\b(tell|tells|told)\b": "show, say, report or distinguish",
    r"\b(asks|asked(?! for))\b": "probed, requested, queried or looked up",
    r"(?<!there )\bis no\b(?! (longer|more|less|later))": "is not a",
    r"(?<!there )\bare no\b(?! (longer|more|less|later))": "are not",
    r"\bso many\b": "that many, or the number",
    r"\banew\b": "again",
    r"\bbeside\b": "next to, besides, or in addition to",
    r"\bthe measured\b": "scanned networks",
    r"\bbut for\b": "except",
    r"\bone's own\b": "your own, or signed",
    r"\bcame of it\b": "the result",
    r"\bwhom\b": "the noun that is meant",
    r"\b(of|by|to|for|is|says) who\b": "the noun that is meant",
    r"\b(stands|stood)\b": "is, was",
    r"\bbe it\b": "whether",
    r"\bmanyeth\b": "the number of",
}
BANNED = tuple((re.compile(phrase, re.IGNORECASE), plain) for phrase, plain in INSTEAD.items())

#: Files that hold texts and no code: folder, names, and which lines of them people read.
PLAIN = (
    ("analysis", "*.sql", re.compile(r"\s*--(.*)")),
    ("schemas", "*.toml", re.compile(r"(.*)")),
    ("pipeline", "*.j2", re.compile(r"(.*)")),
)


class Text(NamedTuple):
    """A piece of text: its file below the root, its line, and its words."""

    path: str
    line: int
    words: str


class Phrase(NamedTuple):
    """A banned phrase of a text, and its replacement."""

    path: str
    line: int
    phrase: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.phrase!r}; write {self.instead}"


def phrases() -> Iterator[Phrase]:
    """Yield every banned phrase of every text, file by file."""
    for text in texts():
        for pattern, plain in BANNED:
            yield from (Phrase(text.path, text.line, match.group(), plain) for match in pattern.finditer(text.words))


def texts() -> Iterator[Text]:
    """Yield every text that people read."""
    for package in ("pipeline", "flows"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield from _of_code(path)
    for folder, names, line in PLAIN:
        for path in sorted((ROOT / folder).rglob(names)):
            yield from _of_lines(path, line)


def _of_code(path: Path) -> Iterator[Text]:
    """Yield the strings of a file that are prose; of its docstrings only those that `--help` prints."""
    tree, name = ast.parse(path.read_text("utf-8")), path.relative_to(ROOT).as_posix()
    shown = name.startswith("pipeline/commands/")
    unseen = set() if shown else {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        words = node.value if isinstance(node, ast.Constant) and id(node) not in unseen else None
        if isinstance(words, str) and " " in words.strip():
            yield Text(name, node.lineno, words)


def _of_lines(path: Path, pattern: re.Pattern[str]) -> Iterator[Text]:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if match := pattern.match(line):
            yield Text(path.relative_to(ROOT).as_posix(), number, match.group(1))


def main() -> int:
    """Print every banned phrase; return 1 if there is one, as the exit code."""
    findings = list(phrases())
    print(*findings, sep="\n")
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main())
