"""Country codes of databases: which are countries, by `data/reference/countries.csv` (ISO 3166-1, and XK)."""

import csv
from functools import cache

from pipeline import checkout

#: Codes that are written for a country which has another: those of the European Union (Interinstitutional Style Guide, 7.1.1).
MISTAKEN = {"UK": "GB", "EL": "GR"}


@cache
def assigned() -> frozenset[str]:
    """The codes of all countries."""
    with (checkout.REFERENCE / "countries.csv").open(encoding="utf-8", newline="") as file:
        return frozenset(row["alpha2"] for row in csv.DictReader(file))


def normalised(text: str | None) -> str | None:
    """The country that a database means, in upper case; None for everything that is no country: `ZZ`, `-`, `EU`, `AP`, nothing."""
    code = (text or "").strip().upper()
    code = MISTAKEN.get(code, code)
    return code if code in assigned() else None
