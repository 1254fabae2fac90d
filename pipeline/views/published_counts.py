"""View `published_counts`, made from `data/reference/published.csv`: what studies have counted, and by which rule."""

import csv
from functools import cache

from pipeline import checkout

#: The columns of the file, and their types.
TYPES = {
    "study": "VARCHAR", "published": "INTEGER", "figure": "VARCHAR", "counted_as": "VARCHAR", "unit": "VARCHAR", "port": "USMALLINT",
    "country": "VARCHAR", "published_count": "BIGINT", "at_least": "BOOLEAN", "source": "VARCHAR",
}  # fmt: skip
COMMENT = """Question: How many DICOM services have other studies counted, and by which rule?
Grain: one row for each (study, published, figure).
Notes: counted_as is what counts as one: responded (a SYN-ACK), spoke (a DICOM answer), accepted (an accepted association) or
undoubted (a DICOM answer besides likely decoys). unit is what is counted, port and country where; null: all. at_least: more than
the number."""


@cache
def sql() -> str:
    """The rows of the view, as a SELECT over constants."""
    with (checkout.REFERENCE / "published.csv").open(encoding="utf-8", newline="") as file:
        rows = ",\n    ".join(_row(row) for row in csv.DictReader(file))
    return f"SELECT * FROM (\n    VALUES\n    {rows}\n) AS listed ({', '.join(TYPES)})"


def _row(row: dict[str, str]) -> str:
    """A row of the file as SQL."""
    return f"({', '.join(f'CAST({_quoted(row[name])} AS {kind})' for name, kind in TYPES.items())})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'" if text else "NULL"
