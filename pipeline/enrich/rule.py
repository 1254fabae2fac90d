"""The common parts of the rule files: grades of evidence, conditions on features, and the check of their ids."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from pipeline import checkout
from pipeline.enrich.feature import FEATURES, Features
from pipeline.errors import InputError
from pipeline.outcome import Explained

REFERENCE = checkout.REFERENCE
IDENTIFIER = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class EvidenceGrade(Explained):
    """The quality of a rule's evidence, best first."""

    SEEN = "L", "Seen on a real server in a closed laboratory."
    SOURCE = "C", "A constant read in the product's own source."
    QUOTED = "W", "Quoted by a third party: an issue, a log, a conformance statement."
    FILES = (
        "F",
        "From the meta header of files only: the writer of a file is often, but not always, the server that answers.",
    )
    UNVERIFIED = "NV", "Not verified."


#: Grades with which a number may be published without a caveat.
EVIDENCED = (EvidenceGrade.SEEN, EvidenceGrade.SOURCE, EvidenceGrade.QUOTED)
RANK: Mapping[str, int] = {grade: rank for rank, grade in enumerate(EvidenceGrade)}


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rule of a rule file."""

    id: str
    grade: EvidenceGrade
    evidence: str


class NumberRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers from `min` to `max`, both included."""

    min: float = float("-inf")
    max: float = float("inf")


Condition = bool | int | str | list[int | str] | NumberRange
Conditions = dict[str, Condition]


def check_ids(path: Path, rules: Iterable[Rule]) -> None:
    """Raise InputError for ids that are malformed or repeated, and for rules without one line of evidence."""
    seen: set[str] = set()
    for rule in rules:
        if not IDENTIFIER.fullmatch(rule.id):
            raise InputError(f"{path}, id {rule.id!r}", "is not an id (use a-z, 0-9 and single hyphens)")
        if rule.id in seen:
            raise InputError(f"{path}, id {rule.id}", "is listed twice; keep one")
        if not rule.evidence.strip() or "\n" in rule.evidence:
            raise InputError(f"{path}, id {rule.id}, key evidence", "must be one line")
        seen.add(rule.id)


def check_conditions(path: Path, id: str, when: Conditions) -> None:
    """Raise InputError for conditions on unknown features, or of another type than the feature."""
    if not when:
        raise InputError(f"{path}, id {id}, key when", "must name a feature")
    for name, condition in when.items():
        where = f"{path}, id {id}, key when.{name}"
        if name not in FEATURES:
            raise InputError(where, f"is not a feature; use one of {', '.join(FEATURES)}")
        kind = FEATURES[name].kind
        if isinstance(condition, NumberRange) and kind in (int, float):
            continue
        values = condition if isinstance(condition, list) else [condition]
        if not values or any(type(value) is not kind for value in values):
            raise InputError(where, f"must be of type {kind.__name__}")


def matches(condition: Condition, observed: object) -> bool:
    """Whether an observed value meets a condition; None never does. Of a set of values, one is enough."""
    if observed is None:
        return False
    if isinstance(observed, frozenset):
        return any(matches(condition, part) for part in observed)
    if isinstance(condition, NumberRange):
        return isinstance(observed, int | float) and condition.min <= observed <= condition.max
    return observed in condition if isinstance(condition, list) else observed == condition


def fits(when: Conditions, features: Features) -> bool:
    """Whether all conditions are met."""
    return all(matches(condition, features.get(name)) for name, condition in when.items())


def contradicts(when: Conditions, features: Features) -> bool:
    """Whether an observed feature violates a condition."""
    return any(
        features.get(name) is not None and not matches(condition, features[name]) for name, condition in when.items()
    )
