"""The rows of a mart as they may be published: disclosure control applied, and texts of peers and databases made safe."""

from collections.abc import Sequence
from typing import Any

from pipeline.publish import companion_findings
from pipeline.publish.data import Row
from pipeline.publish.disclosure import (
    PEER_COLUMNS,
    RARE,
    SUPPRESSED,
    disclosed,
    name_networks,
    suppress_host,
    suppress_rare,
)
from pipeline.publish.escape import LONGEST, shown
from pipeline.publish.scope import Scope
from pipeline.publish.withheld_facts import NOTHING, Withheld
from pipeline.untrusted.visible import visible

#: Columns in which a peer may name itself.
PEER_NAMES = ("implementation_class_uid", "implementation_version_name")


def publishable(
    name: str, rows: Sequence[Row], scope: Scope, hidden: Withheld = NOTHING, sweep: str = ""
) -> tuple[Row, ...]:
    """The rows of a mart as they may be published: by its rule of disclosure, and with texts that are safe to show.

    `hidden` is what is withheld in all marts, `sweep` that of rows which do not name theirs.
    """
    edition = scope.country is not None
    rows = disclosed(name, rows, scope.min_cell, edition=edition, hidden=hidden, of=(sweep, scope.country))
    if name == "companion_kinds":
        rows = companion_findings.merge_few(rows, scope.min_cell)
    if name == "networks":
        rows = sorted(name_networks(rows, scope.min_cell), key=lambda row: -row["services"])
    if name == "products":
        rows = [suppress_rare(row, PEER_NAMES, scope.min_cell) for row in rows]
    return _merge_suppressed([safe(row) for row in rows])


def safe(row: Row) -> Row:
    """A row whose texts hide nothing and are bounded; texts of peers that name somebody are suppressed."""
    return {key: _safe_text(key, value) if isinstance(value, str) else value for key, value in row.items()}


def _safe_text(column: str, value: str) -> str:
    # Twice the length that is shown is searched, so that a name which the cut would split is still noticed.
    naming = column in PEER_COLUMNS and suppress_host(visible(value[: 2 * LONGEST])) == SUPPRESSED
    return SUPPRESSED if naming else shown(value)


def _merge_suppressed(rows: list[Row]) -> tuple[Row, ...]:
    """Rows that suppression made alike, merged with the sums of their counts (a country may be counted in several)."""
    suppressed = [row for row in rows if {SUPPRESSED, RARE} & set(map(str, row.values()))]
    sums: dict[tuple[Any, ...], Row] = {}
    for row in suppressed:
        key = tuple(value for value in row.values() if not _is_count(value))
        sums[key] = _sum(sums[key], row) if key in sums else row
    return (*(row for row in rows if row not in suppressed), *sums.values())


def _sum(left: Row, right: Row) -> Row:
    """Both rows' counts added; all other values are the same in both."""
    return {key: value + right[key] if _is_count(value) else value for key, value in left.items()}


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
