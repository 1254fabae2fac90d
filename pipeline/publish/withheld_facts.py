"""Which facts of a country are withheld in all tables of a report alike, as they distinguish few services or hide those of others.

A fact is stated by columns of several marts (`disclosure_rules`). It is withheld in all of them or in none: else one table would give
away what another one hides. Each has a total over all countries, so cells are complemented (`complement`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.publish import complement

Row = Mapping[str, Any]
Table = Mapping[object, Mapping[str, int]]
Place = tuple[object, object]
#: The facts: how services answered, which of the refusing ones rejected us, which titles they wanted, who echoed, what is a decoy.
ACCEPTING, REFUSALS, ECHOED, DECOYS, TITLES = "accepting", "refusals", "echoed", "decoys", "titles"
#: Why services rejected us, by the columns of `ae_control`.
REJECTED = ("rejected_called", "rejected_calling", "rejected_otherwise")
#: The marts that say what has to be withheld.
MARTS = ("countries", "ae_control")


@dataclass(frozen=True, slots=True)
class Withheld:
    """Facts that are withheld, by sweep and country, and totals that are, by sweep."""

    facts: Mapping[Place, frozenset[str]] = field(default_factory=dict)
    totals: Mapping[object, frozenset[str]] = field(default_factory=dict)

    def of(self, sweep: object, country: object) -> frozenset[str]:
        """The facts that are withheld of a country."""
        return self.facts.get((sweep, country), frozenset())


NOTHING = Withheld()


def withheld(marts: Mapping[str, Iterable[Row]], least: int) -> Withheld:
    """What is withheld, given the rows of `MARTS` of some sweeps, each with its sweep."""
    lines, requested = (_by_sweep(marts[name]) for name in MARTS)
    facts: dict[Place, set[str]] = defaultdict(set)
    totals: dict[object, frozenset[str]] = {}
    for sweep, rows in lines.items():
        hidden, bare = _of_sweep([row for row in rows if row["services"]], requested.get(sweep, []), least)
        totals[sweep] = bare
        for country, names in hidden.items():
            facts[sweep, country] |= names
    return Withheld({place: frozenset(names) for place, names in facts.items()}, totals)


def _by_sweep(rows: Iterable[Row]) -> dict[object, list[Row]]:
    by_sweep: dict[object, list[Row]] = defaultdict(list)
    for row in rows:
        by_sweep[row["sweep"]].append(row)
    return by_sweep


def _of_sweep(rows: Sequence[Row], titles: Sequence[Row], least: int) -> tuple[dict[object, set[str]], frozenset[str]]:
    """The facts of each country, and the totals, that are withheld in one sweep."""
    hidden: dict[object, set[str]] = defaultdict(set)
    bare: set[str] = set()
    decoys = _halves(rows, "decoys", "services")
    steps: list[tuple[str, Table, set[str]]] = [
        (DECOYS, decoys, set()),
        (DECOYS, _halves(rows, "addresses_undoubted", "addresses"), {DECOYS}),
        (DECOYS, decoys, {DECOYS}),
        (ACCEPTING, _halves(rows, "accepting", "services"), set()),
        (REFUSALS, _columns(rows, ("rejected", "aborted")), {ACCEPTING}),
        (TITLES, _columns(titles, REJECTED), {REFUSALS}),
    ]
    if all(row["echoed"] is not None for row in rows):
        steps.append((ECHOED, _halves(rows, "echoed", "accepting"), {ACCEPTING}))
    for fact, table, causes in steps:
        counts = {country: row for country, row in table.items() if any(row.values())}
        requested = {country for country, row in counts.items() if _is_small(row, least) or hidden[country] & causes}
        spread = complement.complemented(
            counts, dict.fromkeys(requested, frozenset(next(iter(counts.values()), ()))), least
        )
        for country in spread:
            hidden[country].add(fact)
        if complement.bare(counts, spread):
            bare.add(fact)
    return hidden, frozenset(bare)


def _is_small(row: Mapping[str, int], least: int) -> bool:
    """Whether a part, or all of them, are too few."""
    return any(0 < count < least for count in (*row.values(), sum(row.values())))


def _columns(rows: Sequence[Row], names: Sequence[str]) -> Table:
    return {row["country"]: {name: row[name] for name in names} for row in rows}


def _halves(rows: Sequence[Row], part: str, whole: str) -> Table:
    """Rows of two parts: what a column counts, and the rest of what it counts a part of."""
    return {row["country"]: {part: row[part], "others": row[whole] - row[part]} for row in rows}
