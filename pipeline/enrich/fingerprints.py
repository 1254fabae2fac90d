"""The table `fingerprints`: who each DICOM service says it is, how it behaves, and why one may doubt it.

Rules are asked once for each distinct answer, not for each row: everything they look at follows from the columns of
`DECIDING` and from the surroundings.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline import schema
from pipeline.enrich import arc, behaviour, feature, neighbourhood, suspicion
from pipeline.enrich.neighbourhood import Addresses
from pipeline.enrich.offer import Offer
from pipeline.enrich.ruleset import Ruleset
from pipeline.space.ranges import Ranges

#: Columns of `associations` that decide: with the reply's bytes, all that was decoded from them is equal too.
DECIDING = (
    "raw",
    "parser_version",
    "outcome",
    "close_kind",
    "close_stage",
    "implementation_class_uid",
    "implementation_version_name",
    "max_pdu",
    "echo_status",
)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What the sweep asked: its offer, its target space, the share of it that was visited, and who answered a SYN."""

    offer: Offer
    space: Ranges
    share: float
    answered: Addresses
    controls: Addresses = field(default_factory=lambda: neighbourhood.NOBODY)
    """Who answered on the control port."""


def fingerprints(associations: pa.Table, asked: Asked, ruleset: Ruleset) -> pa.Table:
    """One row for each association, in their order."""
    around = neighbourhood.describe(associations, asked.answered, asked.space, asked.share, asked.controls)
    described = associations
    for name, column in around.items():
        described = described.append_column(name, column)
    first, group = _distinct(described, [*DECIDING, *around])
    judged = [_judge(row, asked.offer, tuple(around), ruleset) for row in described.take(first).to_pylist()]
    arrow = schema.table("fingerprints").arrow
    derived = pa.schema([field for field in arrow if field.name not in ("ip", "port")])
    rows = pa.Table.from_pylist(judged, schema=derived).take(pa.array(group))
    columns = {"ip": associations["ip"], "port": associations["port"]} | {name: rows[name] for name in derived.names}
    return pa.table(columns, schema=arrow)


def _distinct(table: pa.Table, names: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first row of each distinct combination of columns, and which combination each row has."""
    present = [name for name in names if name in table.column_names]
    numbered = table.select(present).append_column("_row", pa.array(np.arange(len(table))))
    lists = numbered.group_by(present).aggregate([("_row", "list")])["_row_list"].combine_chunks()
    rows, sizes = np.asarray(lists.flatten(), dtype=np.int64), np.asarray(lists.value_lengths(), dtype=np.int64)
    group = np.empty(len(table), np.int64)
    group[rows] = np.repeat(np.arange(len(sizes)), sizes)
    return rows[np.cumsum(sizes) - sizes], group


def _judge(row: dict[str, Any], offer: Offer, around: tuple[str, ...], ruleset: Ruleset) -> dict[str, Any]:
    """All that the rules say of one answer."""
    uid, name = row["implementation_class_uid"], row["implementation_version_name"]
    identity = ruleset.identities.match(uid, name)
    features = feature.of(row, offer) | {key: row[key] for key in around}
    shown = behaviour.match(ruleset.behaviours, features, identity)
    features["behaves_like_another"] = shown.another
    return {
        "class_uid_root": arc.root(uid, ruleset.arcs),
        "class_uid_hash": arc.digest(uid),
        **{field: getattr(identity, field) for field in identity.__dataclass_fields__},
        "behaviour_rules": shown.rules,
        "mismatch": shown.mismatch,
        "suspicions": suspicion.raised(ruleset.suspicions, features),
        "ruleset": ruleset.version,
        "ruleset_digest": ruleset.digest,
    }
