"""All rules for judging answers, read from the two files of `data/reference` and strictly checked."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from pipeline.config import toml_file
from pipeline.enrich import arc, behaviour, identity, suspicion
from pipeline.enrich.arc import Arc
from pipeline.enrich.behaviour import BehaviourRule
from pipeline.enrich.identity import Identities, IdentityRule
from pipeline.enrich.rule import REFERENCE, check_ids
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
    """The rules, their version, and the digest of their files."""

    version: int
    digest: str
    identity_rules: tuple[IdentityRule, ...]
    identities: Identities
    behaviours: tuple[BehaviourRule, ...]
    suspicions: tuple[SuspicionRule, ...]
    arcs: Mapping[str, int]


@cache
def load(implementations: Path = IMPLEMENTATIONS, suspicions: Path = SUSPICIONS) -> Ruleset:
    """Read both files. Raises InputError naming file, id and key."""
    implementation_file, suspicion_file = (
        toml_file.read(implementations, _Implementations),
        toml_file.read(suspicions, _Suspicions),
    )
    check_ids(implementations, implementation_file.identities)
    check_ids(implementations, implementation_file.behaviours)
    check_ids(suspicions, suspicion_file.suspicions)
    compiled = identity.compile_rules(implementations, implementation_file.identities)
    behaviour.check(
        implementations, implementation_file.behaviours, frozenset(rule.id for rule in implementation_file.identities)
    )
    suspicion.check(suspicions, suspicion_file.suspicions)
    return Ruleset(
        version=implementation_file.version,
        digest=hashlib.sha256(implementations.read_bytes() + b"\0" + suspicions.read_bytes()).hexdigest(),
        identity_rules=implementation_file.identities,
        identities=compiled,
        behaviours=implementation_file.behaviours,
        suspicions=suspicion_file.suspicions,
        arcs=arc.levels(implementations, implementation_file.arcs),
    )
