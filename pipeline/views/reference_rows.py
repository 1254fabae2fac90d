"""Rows of a file of the reference data as SQL, for views that have no other source."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping

from pipeline import checkout


def select(file: str, columns: Iterable[str], literals: Callable[[dict[str, str]], Iterable[str]]) -> str:
    """A SELECT over the rows of a CSV file, with these columns; `literals` gives a row's values as SQL."""
    with (checkout.REFERENCE / file).open(encoding="utf-8", newline="") as opened:
        rows = ",\n    ".join(f"({', '.join(literals(row))})" for row in csv.DictReader(opened))
    return f"SELECT * FROM (\n    VALUES\n    {rows}\n) AS listed ({', '.join(columns)})"


def literals(types: Mapping[str, str]) -> Callable[[dict[str, str]], Iterator[str]]:
    """What gives the values of a row as SQL, by the type of each column; what is empty is null."""

    def of(row: dict[str, str]) -> Iterator[str]:
        for name, kind in types.items():
            yield f"CAST({quoted(row[name]) if row[name] else 'NULL'} AS {kind})"

    return of


def quoted(text: str) -> str:
    """A text as SQL."""
    return "'" + text.replace("'", "''") + "'"
