"""All rules by which answers are judged, read from the two files of `data/reference` and checked to the last key."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from pipeline.enrich import arc, behaviour, identity, suspicion
from pipeline.enrich.arc import Arc
from pipeline.enrich.behaviour import BehaviourRule
from pipeline.enrich.identity import Identities, IdentityRule
from pipeline.enrich.rule import REFERENCE, check_ids, read
from pipeline.enrich.suspicion import SuspicionRule

IMPLEMENTATIONS = REFERENCE / "implementations.toml"
SUSPICIONS = REFERENCE / "suspicions.toml"


class _Implementations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    identities: tuple[IdentityRule, ...] = msgspec.field(name="identity")
    behaviours: tuple[BehaviourRule, ...] = msgspec.field(name="behaviour")
    arcs: tuple[Arc, ...] = msgspec.field(name="arc")


class _Suspicions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    suspicions: tuple[SuspicionRule, ...] = msgspec.field(name="suspicion")


@dataclass(frozen=True, slots=True)
class Ruleset:
    """The rules, their version, and a digest of their files."""

    version: int
    digest: str
    identity_rules: tuple[IdentityRule, ...]
    identities: Identities
    behaviours: tuple[BehaviourRule, ...]
    suspicions: tuple[SuspicionRule, ...]
    arcs: Mapping[str, int]


@cache
def load(implementations: Path = IMPLEMENTATIONS, suspicions: Path = SUSPICIONS) -> Ruleset:
    """Read both files. Raises InputError naming file, id and key of what is wrong."""
    known, doubts = read(implementations, _Implementations), read(suspicions, _Suspicions)
    check_ids(implementations, known.identities)
    check_ids(implementations, known.behaviours)
    check_ids(suspicions, doubts.suspicions)
    compiled = identity.compile_rules(implementations, known.identities)
    behaviour.check(implementations, known.behaviours, frozenset(rule.id for rule in known.identities))
    suspicion.check(suspicions, doubts.suspicions)
    return Ruleset(
        version=known.version,
        digest=hashlib.sha256(implementations.read_bytes() + b"\0" + suspicions.read_bytes()).hexdigest(),
        identity_rules=known.identities,
        identities=compiled,
        behaviours=known.behaviours,
        suspicions=doubts.suspicions,
        arcs=arc.levels(implementations, known.arcs),
    )
