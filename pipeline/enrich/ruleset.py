"""All rules for judging answers, read from the files of `data/reference` and strictly checked."""

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
TRIALS = REFERENCE / "trials.toml"


class _Implementations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    identities: tuple[IdentityRule, ...] = msgspec.field(name="identity")
    behaviours: tuple[BehaviourRule, ...] = msgspec.field(name="behaviour")
    arcs: tuple[Arc, ...] = msgspec.field(name="arc")


class _Suspicions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    suspicions: tuple[SuspicionRule, ...] = msgspec.field(name="suspicion")


class Trial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many captures of known products a rule was tried on, and how many of them it got wrong."""

    tried: int = 0
    wrong: int = 0


class Trials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The trials of identities, of mismatches with them, and of suspicions, by rule; `captures` were there."""

    captures: int
    identity: dict[str, Trial]
    mismatch: dict[str, Trial]
    suspicion: dict[str, Trial]


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
    trials: Trials


@cache
def load(implementations: Path = IMPLEMENTATIONS, suspicions: Path = SUSPICIONS, trials: Path = TRIALS) -> Ruleset:
    """Read the rules and their trials. Raises InputError naming file, id and key."""
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
        digest=_digest(implementations, suspicions, trials),
        identity_rules=implementation_file.identities,
        identities=compiled,
        behaviours=implementation_file.behaviours,
        suspicions=suspicion_file.suspicions,
        arcs=arc.levels(implementations, implementation_file.arcs),
        trials=toml_file.read(trials, Trials),
    )


def _digest(*files: Path) -> str:
    """The SHA-256 of files, with a NUL between two."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
