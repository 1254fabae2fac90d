"""Conversations with real products, in `tests/data/fixtures*.jsonl`; what each says is in the same file's `-expected`.

A row has `file` (product and configuration), `product` (with version and origin), `case` (its number and what is special) and
`events`: seconds, what happened, and the bytes. A file of captures is enough to be in all tests that use captures; its `-expected`
is written by `python -m tests.wire.expect`.
"""

import json
from pathlib import Path
from typing import Any

Row = dict[str, Any]

DATA = Path(__file__).parent / "data"
#: Files of captures, oldest first.
FILES = sorted(
    (path for path in DATA.glob("fixtures*.jsonl") if not path.stem.endswith("-expected")), key=lambda path: path.stem
)


def read(path: Path) -> list[Row]:
    """The rows of a file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


FIXTURES = [row for path in FILES for row in read(path)]


def expectations(path: Path) -> Path:
    """The file that says what a file of captures says."""
    return path.with_stem(path.stem + "-expected")


def name(row: Row) -> str:
    """The product and configuration of a conversation."""
    return str(row["file"].removesuffix(".hex.txt"))


def packets(row: Row) -> list[tuple[str, bytes]]:
    """What was sent and received in a conversation, in order."""
    return [(event["ev"], bytes.fromhex(event["hex"])) for event in row["events"] if "hex" in event]


def received(row: Row) -> list[bytes]:
    """The replies of a conversation, one PDU each."""
    return [data for kind, data in packets(row) if kind == "recv"]


def of_case(number: str) -> dict[str, list[tuple[str, bytes]]]:
    """What was sent and received in one case, by product and configuration."""
    return {name(row): packets(row) for row in FIXTURES if row["case"].startswith(number)}
