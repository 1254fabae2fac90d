"""What is not published: strings by which a peer names itself, and cells so small that they tell who somebody is."""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any

WITHHELD = "(withheld: looks like an address or a host name)"
RARE = "(withheld: known by no rule, and seen at few addresses)"
SEVERAL = "(several, each small)"
UNNAMED = "(all other networks, not told apart)"
#: Networks that carry or host others, so that the holder is not the owner; and the addresses that such a network must exceed to be
#: named: a /22 is all that a new member of the RIPE NCC got from its last /8.
CARRIERS = frozenset({"hosting", "access"})
MEMBER = 1 << 10
ADDED = ("services", "addresses", "accepting", "services_estimated")
#: Numbers that do not add up over rows.
RATES = frozenset({"per_million"})

#: Four numbers with dots that are not part of a longer UID.
ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)")
ADDRESS_6 = re.compile(r"(?i)(?:\b[0-9a-f]{1,4}:){3,}|::[0-9a-f]")
#: Labels with dots whose last one is of letters: `pacs.example.org`; not `dcm4che-5.29.2`, not `1.2.840.10008`.
HOST = re.compile(r"(?i)(?<![\w.-])[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.[a-z]{2,24}(?![\w-])")


def withhold(text: str) -> str:
    """The text, or a note in its place."""
    return WITHHELD if any(pattern.search(text) for pattern in (ADDRESS, ADDRESS_6, HOST)) else text


def rare_name(row: dict[str, Any], columns: Sequence[str], least: int) -> dict[str, Any]:
    """A row without its peers' strings, if no rule knows them and too few addresses say so: they may name who says it."""
    if row["grade"] is not None or row["addresses"] >= least:
        return row
    return row | {column: RARE for column in columns if row[column] is not None}


def small_cells(rows: Sequence[dict[str, Any]], kinds: Sequence[str], least: int) -> list[dict[str, Any]]:
    """Fold the smallest rows of each country into one, until it holds two rows and at least `least` services.

    One folded alone could be told from the country's total, so a second, larger one goes with it. `kinds` are the columns
    that tell the rows of a country apart; other texts are dropped, numbers are added up, rates dropped. A country of one row stays,
    and so do rows without a service.
    """
    by_country = sorted(rows, key=lambda row: row["country"] or "")
    kept: list[dict[str, Any]] = []
    for _, group in groupby(by_country, key=lambda row: row["country"]):
        ordered = sorted(group, key=lambda row: row["services"])
        empty = [row for row in ordered if not row["services"]]
        kept.extend([*empty, *_folded(ordered[len(empty) :], kinds, least)])
    return kept


def networks(rows: Sequence[dict[str, Any]], least: int) -> list[dict[str, Any]]:
    """Name the networks of each country that name no owner of a service, and fold all others into one row.

    Named are those that carry or host others, are large, and have `least` services. What is left of a country, and of each such
    kind in it, has none or `least` services too: else the smallest named of them are folded with it. Numbers become `AS786`.
    """
    by_country = sorted(rows, key=lambda row: row["country"] or "")
    return [
        row for _, group in groupby(by_country, key=lambda row: row["country"]) for row in _named(list(group), least)
    ]


def _named(rows: list[dict[str, Any]], least: int) -> list[dict[str, Any]]:
    """One country's networks."""
    named = sorted((row for row in rows if _may_be_named(row, least)), key=lambda row: row["services"])
    while (telling := _telling(rows, named, least)) is not None:
        named.remove(telling)
    others = [row for row in rows if row not in named]
    told = [row | {"asn": f"AS{row['asn']}"} for row in named]
    if not others:
        return told
    nothing = dict.fromkeys(rows[0], None) | {"country": rows[0]["country"], "organisation": UNNAMED}
    return [*told, nothing | {key: sum(row[key] or 0 for row in others) for key in ADDED}]


def _telling(rows: list[dict[str, Any]], named: list[dict[str, Any]], least: int) -> dict[str, Any] | None:
    """The smallest named network of a group whose unnamed ones are too few: all of the country, or all of one kind in it."""
    for kind in (None, *sorted(CARRIERS)):
        group = [row for row in rows if kind in (None, row["network_kind"])]
        left = sum(row["services"] for row in group if row not in named)
        if 0 < left < least:
            return next((row for row in named if row in group), None)
    return None


def _may_be_named(row: dict[str, Any], least: int) -> bool:
    large = (row["addresses_in_plan"] or 0) > MEMBER
    return row["asn"] is not None and row["network_kind"] in CARRIERS and large and row["services"] >= least


def _folded(rows: list[dict[str, Any]], kinds: Sequence[str], least: int) -> list[dict[str, Any]]:
    """One country's rows, the smallest first."""
    if len(rows) < 2 or rows[0]["services"] >= least:
        return rows
    size = next(
        (
            n
            for n in range(2, len(rows))
            if sum(r["services"] for r in rows[:n]) >= least and rows[n]["services"] >= least
        ),
        len(rows),
    )
    one = {key: _joined(key, [row[key] for row in rows[:size]], kinds) for key in rows[0]}
    return [*rows[size:], one]


def _joined(key: str, values: list[Any], kinds: Sequence[str]) -> Any:
    if key in kinds:
        return SEVERAL
    if key == "country":
        return values[0]
    if key in RATES:
        return None
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    return sum(numbers) if len(numbers) == len(values) else None
