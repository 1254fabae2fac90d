"""Disclosure control: what is not published, because it names an owner or is so small that it identifies one.

Two rules:

* Strings by which a peer may name itself are suppressed if they look like an address or host, or are rare and known by no rule.
* Crossed with a country, fewer than `min_cell` services are not distinguished: rows are merged (`merge_small`) and counts of parts
  withheld (`hide_parts`), so that none can be had by subtraction from the country's total. `disclosure_rules` has what that means
  for each published mart. Nor does one follow from a total of all countries (`complement`), or from another mart (`withheld_facts`). A
  country's edition crosses every mart with the country. Change is excepted: when services came and went says nothing of what they
  are. Networks are named only where they carry or host others (docs/decisions/0010-named-networks.md).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby, pairwise
from typing import Any

from pipeline.publish import complement
from pipeline.publish.disclosure_rules import EVERY, FOLLOWED, RULES, Crossing
from pipeline.publish.withheld_facts import NOTHING, Place, Withheld

Row = dict[str, Any]

#: Columns that a peer wrote, or that were cut out of what it wrote; and what networks call themselves.
PEER_COLUMNS = frozenset({
    "implementation_class_uid", "implementation_version_name", "class_uid_root", "toolkit_version", "product_version", "organisation",
})  # fmt: skip
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
RATES = frozenset({"per_million", "per_million_undoubted", "share", "share_low", "share_high"})
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


def disclosed(
    mart: str,
    rows: Sequence[Row],
    min_cell: int,
    *,
    edition: bool,
    hidden: Withheld = NOTHING,
    of: Place = (None, None),
) -> list[Row]:
    """The rows of a mart as they may be published, by its rule; `edition` if all are about one country.

    `hidden` is what is withheld in all marts, `of` the sweep and the country of rows that do not name theirs.
    """
    rule = RULES[mart]
    rows = [] if edition and mart in FOLLOWED else rows
    if not rule.in_edition or edition:
        rows = [
            row for part in _groups(rows, lambda row: row.get(rule.apart, "")) for row in _of_mart(part, rule, min_cell)
        ]
        rows = _joined(rows, rule, hidden.of(*of))
    return [shown for row in rows if (shown := _without_facts(row, rule, _facts(row, hidden, of))) is not None]


def _of_mart(rows: list[Row], rule: Crossing, min_cell: int) -> list[Row]:
    """Rows without what the mart itself shows of too few services."""
    if rule.kinds:
        rows = sorted(merge_small(rows, rule.kinds, min_cell, rule.count), key=lambda row: -row[rule.count])
        rows = [row for row in rows if not (rule.overlapping and 0 < row[rule.count] < min_cell)]
    shown: dict[int, Row] = {}
    for country in _by_country(rows):
        shown |= zip(map(id, country), _hide(country, rule, min_cell), strict=True)
    return _complemented(rows, [shown[id(row)] for row in rows], rule, min_cell)


def _joined(rows: list[Row], rule: Crossing, facts: frozenset[str]) -> list[Row]:
    """An edition's rows, those of kinds that state a withheld fact as one with what is merged already."""
    kinds = {kind for fact in facts for kind in rule.joined.get(fact, ())}
    stating = [row for row in rows if EVERY in kinds or {row[name] for name in rule.kinds} & kinds]
    if not stating:
        return rows
    stating += [row for row in rows if MERGED in row.values() and row not in stating]
    rest = [row for row in rows if row not in stating]
    return [*rest, {key: _merged(key, [row[key] for row in stating], rule.kinds) for key in rows[0]}]


def _facts(row: Row, hidden: Withheld, of: Place) -> frozenset[str]:
    """The facts that are withheld of what a row is about: a country, or all together."""
    sweep, country = row.get("sweep", of[0]), row.get("country", of[1])
    whole = row.get("of_all", "country" not in row and country is None)
    return hidden.totals.get(sweep, frozenset()) if whole else hidden.of(sweep, country)


def _without_facts(row: Row, rule: Crossing, facts: frozenset[str]) -> Row | None:
    """A row without the columns that state one of some facts; None if the whole row does."""
    if rule.omitted & facts:
        return None
    columns = [column for fact in facts for column in rule.facts.get(fact, ())]
    late = [n for n, step in enumerate(rule.steps) if step in columns]
    if late and row["step"] in rule.steps[min(late) :]:
        return row | {"targets": None}
    return row | dict.fromkeys(column for column in columns if column in row)


def _complemented(rows: list[Row], shown: list[Row], rule: Crossing, min_cell: int) -> list[Row]:
    """The rows to show, without what else has to be withheld so that no country's number follows from a published sum."""
    for column in rule.added:
        of = rule.of.get(column, "services")
        for sweep in dict.fromkeys(row.get("sweep") for row in rows):
            here = [n for n, row in enumerate(rows) if row.get("sweep") == sweep and not row.get("of_all") and row[of]]
            halves = {n: {column: rows[n][column] or 0, "others": rows[n][of] - (rows[n][column] or 0)} for n in here}
            requested = {
                n: frozenset(halves[n]) for n in here if shown[n][column] is None and rows[n][column] is not None
            }
            for n in complement.complemented(halves, requested, min_cell):
                shown[n] |= dict.fromkeys((column, *rule.derived.get(column, ())))
    return shown


def _hide(rows: list[Row], rule: Crossing, min_cell: int) -> list[Row]:
    """One country's rows, without the counts that distinguish too few services."""
    column_wise = [name for name, of in rule.of.items() if any(_is_small(row[name], row[of], min_cell) for row in rows)]
    steps = {row["step"]: row["targets"] for row in rows} if rule.steps else {}
    late = next(
        (
            n
            for n, (of, step) in enumerate(pairwise(rule.steps), 1)
            if _is_small(steps.get(step), steps.get(of), min_cell)
        ),
        None,
    )
    return [_without(row, rule, column_wise, rule.steps[late:] if late else (), min_cell) for row in rows]


def _without(row: Row, rule: Crossing, columns: Iterable[str], steps: Sequence[str], min_cell: int) -> Row:
    """A row without these columns and those of its parts that are too small, and without its number if it is one of the steps."""
    hidden = [*columns, *hide_parts(row, rule.parts, min_cell)]
    hidden += [name for column in hidden for name in rule.derived.get(column, ())]
    if rule.small and 0 < row["services"] < min_cell:
        hidden += rule.small
    if row.get("step") in steps:
        hidden.append("targets")
    return row | dict.fromkeys(hidden)


def _is_small(value: int | None, whole: int | None, min_cell: int) -> bool:
    """Whether a count, or what it leaves of the whole, distinguishes too few; so does any count of a small whole."""
    if value is None or whole is None:
        return False
    return any(0 < count < min_cell for count in (value, whole - value, whole))


def hide_parts(row: Row, groups: Sequence[Sequence[str]], min_cell: int) -> list[str]:
    """The parts of a row's services to withhold: all of a small country, else the small ones and as many more as hide them.

    A part is hidden by others of its group, so that the group's sum may be published elsewhere; only a group that is small itself
    is hidden by parts of other groups, the earlier groups first.
    """
    if groups and 0 < row["services"] < min_cell:
        return [part for group in groups for part in group]
    hidden: list[str] = []
    for group in groups:
        hidden += _hidden_in(row, group, hidden, min_cell)
    small = [group for group in groups if 0 < sum(row[part] for part in group) < min_cell]
    others = [part for group in groups if group not in small for part in group]
    return (
        [*hidden, *_more(row, [part for part in hidden if part not in others], others, hidden, min_cell)]
        if small
        else hidden
    )


def _hidden_in(row: Row, group: Sequence[str], hidden: Sequence[str], min_cell: int) -> list[str]:
    """The parts of a group to withhold: the small ones, and the smallest others that are needed to hide them."""
    small = [part for part in group if 0 < row[part] < min_cell]
    return (
        [*small, *_more(row, small, [part for part in group if part not in small], hidden, min_cell)] if small else []
    )


def _more(row: Row, parts: Sequence[str], others: Sequence[str], hidden: Sequence[str], min_cell: int) -> list[str]:
    """As many of the other parts, in their order, as make two parts and `min_cell` services with those that are withheld."""
    more: list[str] = []
    for part in (other for other in others if row[other] and other not in hidden):
        if len([*parts, *more]) >= 2 and sum(row[name] for name in (*parts, *more)) >= min_cell:
            break
        more.append(part)
    return more


def merge_small(rows: Sequence[Row], kinds: Sequence[str], min_cell: int, count: str = "services") -> list[Row]:
    """Merge the smallest rows of each country into one, until it holds two rows and at least `min_cell` services.

    One row merged alone could be derived from the country's total, so a second, larger one goes with it. `kinds` are the columns
    that distinguish the rows of a country; other texts and rates are dropped, numbers are added up. The only row of a country loses
    its kind if it is too small. Rows that count none stay.
    """
    kept: list[Row] = []
    for country in _by_country(rows):
        ordered = sorted(country, key=lambda row: row[count])
        empty = [row for row in ordered if not row[count]]
        kept.extend([*empty, *_merge_smallest(ordered[len(empty) :], kinds, min_cell, count)])
    return kept


def _by_country(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of each country, and of all together."""
    return _groups(rows, lambda row: (bool(row.get("of_all")), row.get("country") or ""))


def _groups(rows: Sequence[Row], key: Callable[[Row], Any]) -> list[list[Row]]:
    """The rows of each value of a key, in the order of these values."""
    return [list(group) for _, group in groupby(sorted(rows, key=key), key=key)]


def _merge_smallest(rows: list[Row], kinds: Sequence[str], min_cell: int, count: str) -> list[Row]:
    """One country's rows, the smallest first."""
    if not rows or rows[0][count] >= min_cell:
        return rows
    counts = [int(row[count]) for row in rows]
    size = next((n for n in range(2, len(rows)) if min(sum(counts[:n]), counts[n]) >= min_cell), len(rows))
    merged = {key: _merged(key, [row[key] for row in rows[:size]], kinds) for key in rows[0]}
    return [*rows[size:], merged]


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
    return [
        row for country in _by_country(rows) for row in _accepting_hidden(_name_and_merge(country, min_cell), min_cell)
    ]


def _accepting_hidden(rows: list[Row], min_cell: int) -> list[Row]:
    """One country's networks, without how many services accepted if that is withheld, or too few, in any of them."""
    few = any(row["accepting"] is None or _is_small(row["accepting"], row["services"], min_cell) for row in rows)
    return [row | {"accepting": None} for row in rows] if few else rows


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
    return [*numbered, blank | {key: _merged(key, [row[key] for row in rest], ()) for key in ADDED}]


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
