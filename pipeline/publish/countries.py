"""Names and places of countries, from `data/reference/countries.csv`."""

import csv
import re
from dataclasses import dataclass
from functools import cache

from pipeline import checkout

REFERENCE = checkout.REFERENCE
CODE = re.compile("[A-Z]{2}")

#: Countries whose name takes an article in a sentence: "in the Netherlands".
WITH_ARTICLE = frozenset(
    [
        "AE",
        "AX",
        "BQ",
        "BS",
        "CC",
        "CD",
        "CF",
        "CG",
        "CK",
        "DO",
        "FK",
        "FO",
        "GB",
        "GM",
        "HM",
        "IM",
        "IO",
        "KM",
        "KY",
        "MH",
        "MP",
        "MV",
        "NL",
        "PH",
        "PN",
        "SB",
        "SC",
        "TC",
        "TF",
        "UM",
        "US",
        "VG",
        "VI",
    ]
)


@dataclass(frozen=True, slots=True)
class Country:
    """A country: its ISO codes (no numeric one: not in ISO 3166-1), English name and a point inside it."""

    alpha2: str
    name: str
    numeric: int | None
    latitude: float
    longitude: float


@cache
def countries() -> dict[str, Country]:
    """All countries by alpha-2 code."""
    with (REFERENCE / "countries.csv").open(encoding="utf-8", newline="") as file:
        return {row["alpha2"]: _country(row) for row in csv.DictReader(file)}


def _country(row: dict[str, str]) -> Country:
    numeric = int(row["numeric"]) if row["numeric"] else None
    return Country(row["alpha2"], row["name"], numeric, float(row["latitude"]), float(row["longitude"]))


def name(alpha2: str | None) -> str:
    """The country's name; a code that is not in the list stays as it is."""
    if alpha2 is None:
        return "not placed"
    return countries()[alpha2].name if alpha2 in countries() else alpha2


def in_sentence(alpha2: str | None) -> str:
    """The country after "in", with its article. Whatever a database has as a code, no other text than a code gets in."""
    if alpha2 is None:
        return "no known country"
    if alpha2 not in countries():
        return alpha2 if CODE.fullmatch(alpha2) else "a country with an unknown code"
    return f"the {name(alpha2)}" if alpha2 in WITH_ARTICLE else name(alpha2)
