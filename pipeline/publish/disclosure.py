"""Disclosure control: what is not published, because it names an owner or is so small that it identifies one.

Two rules:

* Strings by which a peer may name itself are suppressed if they look like an address or a host, or if no rule knows them and few
  addresses send them.
* Cells of a country with fewer services than `min_cell` are merged with others, so that no single cell can be had by subtraction
  from the country's total. Networks are named only where they carry or host others (docs/decisions/0010-named-networks.md).
"""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any

Row = dict[str, Any]

#: Columns that a peer wrote, or that were cut out of what it wrote; and what networks call themselves.
PEER_COLUMNS = frozenset(
    {
        "implementation_class_uid",
        "implementation_version_name",
        "class_uid_root",
        "toolkit_version",
        "product_version",
        "organisation",
    }
)
#: What is published in place of a string or of the names of merged rows.
SUPPRESSED = "(withheld: looks like an address or a host name)"
RARE = "(withheld: known by no rule, and seen at few addresses)"
MERGED = "(merged: too few to show apart)"
OTHER_NETWORKS = "(all other networks, merged)"
#: Networks that carry or host others, so that the holder is not the owner; and the number of addresses that such a network must
#: exceed to be named: a /22 is all that a new member of the RIPE NCC got from its last /8.
CARRIERS = frozenset({"hosting", "access"})
MEMBER = 1 << 10
ADDED = ("services", "addresses", "accepting", "services_estimated")
#: Numbers that do not add up over rows.
RATES = frozenset({"per_million", "share"})

#: Four numbers with dots that are not part of a longer UID.
ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)")
ADDRESS_6 = re.compile(r"(?i)(?:\b[0-9a-f]{1,4}:){3,}|::[0-9a-f]")
#: Labels with dots of which the last one has letters only: `pacs.example.org`; not `dcm4che-5.29.2`, not `1.2.840.10008`.
HOST = re.compile(r"(?i)(?<![\w.-])[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.[a-z]{2,24}(?![\w-])")


def suppress_host(text: str) -> str:
    """The text, or a note in its place if it holds an address or a host name."""
    return SUPPRESSED if any(pattern.search(text) for pattern in (ADDRESS, ADDRESS_6, HOST)) else text


def suppress_rare(row: Row, columns: Sequence[str], min_cell: int) -> Row:
    """A row without its peers' strings, if no rule knows them and too few addresses send them: they may name their owner."""
    if row["grade"] is not None or row["addresses"] >= min_cell:
        return row
    return row | {column: RARE for column in columns if row[column] is not None}


def merge_small(rows: Sequence[Row], kinds: Sequence[str], min_cell: int) -> list[Row]:
    """Merge the smallest rows of each country into one, until it holds two rows and at least `min_cell` services.

    One row merged alone could be derived from the country's total, so a second, larger one goes with it. `kinds` are the columns
    that distinguish the rows of a country; other texts and rates are dropped, numbers are added up. The only row of a country
    stays, and so do rows without a service.
    """
    kept: list[Row] = []
    for country in _by_country(rows):
        ordered = sorted(country, key=lambda row: row["services"])
        empty = [row for row in ordered if not row["services"]]
        kept.extend([*empty, *_merge_smallest(ordered[len(empty) :], kinds, min_cell)])
    return kept


def _by_country(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of each country."""
    ordered = sorted(rows, key=lambda row: row["country"] or "")
    return [list(group) for _, group in groupby(ordered, key=lambda row: row["country"])]


def _merge_smallest(rows: list[Row], kinds: Sequence[str], min_cell: int) -> list[Row]:
    """One country's rows, the smallest first."""
    if len(rows) < 2 or rows[0]["services"] >= min_cell:
        return rows
    size = next((n for n in range(2, len(rows)) if _enough(rows, n, min_cell)), len(rows))
    merged = {key: _merged(key, [row[key] for row in rows[:size]], kinds) for key in rows[0]}
    return [*rows[size:], merged]


def _enough(rows: list[Row], size: int, min_cell: int) -> bool:
    """Whether the first rows make a cell that may be published, and so does the smallest of the others."""
    services = [int(row["services"]) for row in rows]
    return min(sum(services[:size]), services[size]) >= min_cell


def _merged(key: str, values: list[Any], kinds: Sequence[str]) -> Any:
    if key in kinds:
        return MERGED
    if key == "country":
        return values[0]
    if key in RATES:
        return None
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    return sum(numbers) if len(numbers) == len(values) else None


def name_networks(rows: Sequence[Row], min_cell: int) -> list[Row]:
    """Name the networks of each country that identify no owner of a service, and merge all others into one row.

    Named are those that carry or host others, are large, and have `min_cell` services. The merged rest of a country, and of each
    such kind in it, has none or `min_cell` services too: else the smallest named ones are merged with it. Numbers become `AS786`.
    """
    return [row for country in _by_country(rows) for row in _name_and_merge(country, min_cell)]


def _name_and_merge(rows: list[Row], min_cell: int) -> list[Row]:
    """One country's networks."""
    named = sorted((row for row in rows if _may_be_named(row, min_cell)), key=lambda row: row["services"])
    while (revealing := _revealing(rows, named, min_cell)) is not None:
        named.remove(revealing)
    rest = [row for row in rows if row not in named]
    numbered = [row | {"asn": f"AS{row['asn']}"} for row in named]
    if not rest:
        return numbered
    blank = dict.fromkeys(rows[0], None) | {"country": rows[0]["country"], "organisation": OTHER_NETWORKS}
    return [*numbered, blank | {key: sum(row[key] or 0 for row in rest) for key in ADDED}]


def _revealing(rows: list[Row], named: list[Row], min_cell: int) -> Row | None:
    """The smallest named network of a group whose unnamed ones have too few services: all of the country, or one kind in it."""
    for kind in (None, *sorted(CARRIERS)):
        group = [row for row in rows if kind in (None, row["network_kind"])]
        unnamed = sum(row["services"] for row in group if row not in named)
        if 0 < unnamed < min_cell:
            return next((row for row in named if row in group), None)
    return None


def _may_be_named(row: Row, min_cell: int) -> bool:
    large = (row["addresses_in_plan"] or 0) > MEMBER
    return row["asn"] is not None and row["network_kind"] in CARRIERS and large and row["services"] >= min_cell
