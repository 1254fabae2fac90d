"""Advice on a service in an owner's signed ranges: the rules of `data/reference/advice.toml`, tables that this code walks."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType

import msgspec

from pipeline.config import toml_file
from pipeline.enrich import rule
from pipeline.enrich.rule import REFERENCE, Conditions
from pipeline.errors import InputError

RULES = REFERENCE / "advice.toml"

#: The facts about a service that a rule can test, and their types.
FACTS: Mapping[str, type] = MappingProxyType(
    {
        "outcome": str,
        "dicom": bool,
        "accepts": bool,
        "accepted_roles": str,
        "rj_source": int,
        "rj_reason": int,
        "encrypted": bool,
        "tls_version": str,
        "client_certificate": str,
        "valid_at_visit": bool,
        "self_signed": bool,
        "declares": bool,
    }
)


class Severity(StrEnum):
    """How severe a finding is, the most severe first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


RANK: Mapping[str, int] = MappingProxyType({severity: rank for rank, severity in enumerate(Severity)})


class Advice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rule: when it applies, how severe that is, why it matters, what to do, and the source of the reason."""

    id: str
    severity: Severity
    title: str
    why: str
    do: str
    source: str
    when: Conditions


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    advice: tuple[Advice, ...]


@cache
def load(path: Path = RULES) -> tuple[Advice, ...]:
    """The rules of a file, the most severe first. Raises InputError naming file, rule and reason."""
    rules = toml_file.read(path, _File).advice
    seen: set[str] = set()
    for advice in rules:
        _check(path, advice, seen)
        seen.add(advice.id)
    return tuple(sorted(rules, key=lambda advice: RANK[advice.severity]))


def _check(path: Path, advice: Advice, seen: set[str]) -> None:
    """Refuse an id that is not plain or appears twice, an empty text, and a condition on an unknown fact or of another type."""
    where = f"{path}, id {advice.id!r}"
    if not rule.IDENTIFIER.fullmatch(advice.id):
        raise InputError(where, "is not an id; use a-z, 0-9 and single hyphens")
    if advice.id in seen:
        raise InputError(where, "is listed twice; keep one")
    if empty := next((key for key in ("title", "why", "do", "source", "when") if not getattr(advice, key)), ""):
        raise InputError(f"{where}, key {empty}", "is empty")
    for name, wanted in advice.when.items():
        if name not in FACTS:
            raise InputError(f"{where}, key when.{name}", f"is not a fact; use one of {', '.join(FACTS)}")
        values = wanted if isinstance(wanted, list) else [wanted]
        if not values or any(type(value) is not FACTS[name] for value in values):
            raise InputError(f"{where}, key when.{name}", f"must be of type {FACTS[name].__name__}")


def of(facts: Mapping[str, object]) -> tuple[Advice, ...]:
    """All advice that fits a service's facts, the most severe first."""
    return tuple(advice for advice in load() if rule.fits(advice.when, facts))
