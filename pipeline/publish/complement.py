"""Complementary suppression: no cell that is withheld of one country follows from totals over all countries.

A table has a row for each country and a column for each part of what the row counts, so the parts of a row add up to a number that
is published, as those of a column do. A withheld cell is safe if it is a corner of a rectangle of withheld cells that can be changed
by one, up and down in turn, while every sum stays as it is and no cell falls below zero. Then nobody can tell it from its neighbours.
"""

from collections.abc import Mapping
from typing import Any

#: Country → part → count. Every row counts something.
Counts = Mapping[Any, Mapping[str, int]]
#: Country → its withheld parts, at least two of each.
Hidden = Mapping[Any, frozenset[str]]


def complemented(counts: Counts, hidden: Hidden, least: int) -> dict[Any, frozenset[str]]:
    """What is to be withheld, so that the given cells are safe, and the sum of the withheld cells of a column is at least `least`.

    A part that nothing has needs no hiding: that there is none in all countries is published. Where no other country can hide a cell,
    it follows from the total (`bare`).
    """
    withheld = {country: parts for country, parts in hidden.items() if parts}
    if len(_parts(counts)) < 2:
        return withheld
    requested = dict(withheld)
    tried: set[tuple[Any, str]] = set()
    while (fault := _fault(counts, withheld, requested, least, tried)) is not None:
        country, part = fault
        if (other := _companion(counts, withheld, country, part)) is None:
            tried.add(fault)
        else:
            withheld[other] = withheld.get(other, frozenset()) | withheld[country]
    return withheld


def bare(counts: Counts, withheld: Hidden) -> frozenset[str]:
    """The parts of which a withheld cell follows from the total: of these the total has to be withheld too."""
    parts = _parts(counts)
    return frozenset(
        part
        for country, own in withheld.items()
        for part in own & parts
        if len(parts) > 1 and not _is_safe(counts, withheld, country, part)
    )


def _parts(counts: Counts) -> frozenset[str]:
    """The parts that some country has."""
    return frozenset(part for row in counts.values() for part, count in row.items() if count)


def _fault(
    counts: Counts, withheld: Hidden, requested: Hidden, least: int, tried: set[tuple[Any, str]]
) -> tuple[Any, str] | None:
    """A cell that is not safe, or is in a column of which too few are withheld; None if there is none that can be mended."""
    for country in sorted(requested, key=lambda country: (sum(counts[country].values()), str(country))):
        for part in sorted(withheld[country] & _parts(counts)):
            summed = sum(counts[other][part] for other, parts in withheld.items() if part in parts)
            unsafe = summed < least or not _is_safe(counts, withheld, country, part)
            if unsafe and (country, part) not in tried:
                return country, part
    return None


def _is_safe(counts: Counts, withheld: Hidden, country: Any, part: str) -> bool:
    """Whether a withheld cell is a corner of a rectangle of withheld cells that can be changed."""
    return any(
        _can_change(counts[country], counts[other], part, second)
        for other, parts in withheld.items()
        if other != country and part in parts
        for second in (withheld[country] & parts) - {part}
    )


def _can_change(own: Mapping[str, int], other: Mapping[str, int], part: str, second: str) -> bool:
    return bool((own[part] and other[second]) or (own[second] and other[part]))


def _companion(counts: Counts, withheld: Hidden, country: Any, part: str) -> Any:
    """The country with the fewest services that hides a cell if it withholds the same parts; None if there is none.

    A cell that is safe lacks a larger sum alone, to which only a country with that part adds.
    """
    parts, safe = withheld[country], _is_safe(counts, withheld, country, part)
    able = [
        other
        for other, row in counts.items()
        if other != country
        and not parts <= withheld.get(other, frozenset())
        and (row[part] or not safe)
        and any(_can_change(counts[country], row, part, second) for second in parts - {part})
    ]
    return min(able, key=lambda other: (not counts[other][part], sum(counts[other].values()), str(other)), default=None)
