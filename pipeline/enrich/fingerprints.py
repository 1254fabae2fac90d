"""The table `fingerprints`: the declared identity of each DICOM service, its behaviour, and reasons for suspicion.

Rules are evaluated once for each distinct answer, not for each row. All that they use follows from the columns in
`DECIDING` and from the neighbourhood features.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline import schema
from pipeline.enrich import arc, behaviour, feature, neighbourhood, suspicion
from pipeline.enrich.identity import Identity
from pipeline.enrich.neighbourhood import Addresses
from pipeline.enrich.offer import Offer
from pipeline.enrich.ruleset import Ruleset, Trial, Trials
from pipeline.space.ranges import Ranges

#: Columns of `associations` that decide. Where the reply's bytes are equal, so is everything decoded from them.
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
class SweepContext:
    """The sweep's offer, its target space, the share of it that was probed, and the addresses that answered a SYN."""

    offer: Offer
    space: Ranges
    share: float
    answered: Addresses
    controls: Addresses = field(default_factory=lambda: neighbourhood.NO_ADDRESSES)
    """Addresses that answered on the control port."""


def fingerprints(associations: pa.Table, context: SweepContext, ruleset: Ruleset) -> pa.Table:
    """One row for each association, in the same order."""
    neighbours = neighbourhood.neighbourhood_features(
        associations, context.answered, context.space, context.share, context.controls
    )
    with_features = associations
    for name, column in neighbours.items():
        with_features = with_features.append_column(name, column)
    first, group = _distinct(with_features, [*DECIDING, *neighbours])
    results = [_judge(row, context.offer, tuple(neighbours), ruleset) for row in with_features.take(first).to_pylist()]
    arrow = schema.table("fingerprints").arrow
    derived = pa.schema([field for field in arrow if field.name not in ("ip", "port")])
    rows = pa.Table.from_pylist(results, schema=derived).take(pa.array(group))
    columns = {"ip": associations["ip"], "port": associations["port"]} | {name: rows[name] for name in derived.names}
    return pa.table(columns, schema=arrow)


def _distinct(table: pa.Table, names: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first row of each distinct combination of columns, and the number of each row's combination."""
    present = [name for name in names if name in table.column_names]
    numbered = table.select(present).append_column("_row", pa.array(np.arange(len(table))))
    lists = numbered.group_by(present).aggregate([("_row", "list")])["_row_list"].combine_chunks()
    rows, sizes = np.asarray(lists.flatten(), dtype=np.int64), np.asarray(lists.value_lengths(), dtype=np.int64)
    group = np.empty(len(table), np.int64)
    group[rows] = np.repeat(np.arange(len(sizes)), sizes)
    return rows[np.cumsum(sizes) - sizes], group


def _judge(row: dict[str, Any], offer: Offer, neighbours: tuple[str, ...], ruleset: Ruleset) -> dict[str, Any]:
    """The results of all rules for one answer."""
    features = feature.of(row, offer) | {key: row[key] for key in neighbours}
    reflected = {part: features[f"own_{part}"] is True for part in ("class_uid", "version_name")}
    uid = None if reflected["class_uid"] else row["implementation_class_uid"]
    identity = ruleset.identities.of(features)
    behaviour_match = behaviour.match(ruleset.behaviours, features, identity)
    features["behaves_like_another"] = behaviour_match.another
    raised = suspicion.raised_suspicions(ruleset.suspicions, features)
    return {
        "class_uid_root": arc.root(uid, ruleset.arcs),
        "class_uid_hash": arc.digest(uid),
        **{field: getattr(identity, field) for field in identity.__dataclass_fields__},
        "behaviour_rules": behaviour_match.rules,
        "mismatch": behaviour_match.mismatch,
        **{f"{part}_reflected": value for part, value in reflected.items()},
        **_confidence(identity, behaviour_match.mismatch, raised, ruleset.trials),
        "ruleset": ruleset.version,
        "ruleset_digest": ruleset.digest,
    }


def _confidence(
    identity: Identity, mismatch: tuple[str, ...], raised: tuple[str, ...], trials: Trials
) -> dict[str, Any]:
    """What was said, with the number of captures that each rule was tried on and that it got wrong."""
    rule = identity.identity_rule or identity.toolkit_rule
    named = trials.identity.get(rule, Trial()) if rule else None
    compared = trials.mismatch.get(rule, Trial()) if rule and mismatch else None
    doubts = [trials.suspicion.get(id, Trial()) for id in raised]
    return {
        "identity_tried": named and named.tried,
        "identity_wrong": named and named.wrong,
        "mismatch_tried": compared and compared.tried,
        "mismatch_wrong": compared and compared.wrong,
        "suspicions": raised,
        "suspicions_tried": [trial.tried for trial in doubts],
        "suspicions_wrong": [trial.wrong for trial in doubts],
    }
