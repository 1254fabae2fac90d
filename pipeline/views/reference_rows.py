"""Rows of a file of the reference data as SQL, for views that have no other source."""

import csv
from collections.abc import Callable, Iterable

from pipeline import checkout


def select(file: str, columns: Iterable[str], literals: Callable[[dict[str, str]], Iterable[str]]) -> str:
    """A SELECT over the rows of a CSV file, with these columns; `literals` gives a row's values as SQL."""
    with (checkout.REFERENCE / file).open(encoding="utf-8", newline="") as opened:
        rows = ",\n    ".join(f"({', '.join(literals(row))})" for row in csv.DictReader(opened))
    return f"SELECT * FROM (\n    VALUES\n    {rows}\n) AS listed ({', '.join(columns)})"


def quoted(text: str) -> str:
    """A text as SQL."""
    return "'" + text.replace("'", "''") + "'"
