"""How a peer behaves: its features against what is known of implementations, apart from what it declares."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.enrich.feature import Features
from pipeline.enrich.identity import Identity
from pipeline.enrich.rule import Rule, When, check_when, contradicts, fits
from pipeline.errors import InputError


class BehaviourRule(Rule, frozen=True, kw_only=True):
    """A known behaviour of an implementation, and the identity rules by which that implementation is declared."""

    implementation: str
    identities: tuple[str, ...]
    when: When


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Which known behaviours an answer shows, and those of its declared identity if it shows none of them."""

    rules: tuple[str, ...]
    mismatch: tuple[str, ...]
    another: str | None


def check(path: Path, rules: tuple[BehaviourRule, ...], identities: frozenset[str]) -> None:
    """Refuse rules over unknown features or of unknown identities. Raises InputError."""
    for rule in rules:
        check_when(path, rule.id, rule.when)
        unknown = sorted(set(rule.identities) - identities)
        if unknown or not rule.identities:
            reason = f"names no identity rule: {', '.join(unknown) or 'it is empty'}"
            raise InputError(f"{path}, id {rule.id}, key identities", reason)


def match(rules: Iterable[BehaviourRule], features: Features, identity: Identity) -> Behaviour:
    """Hold an answer against all known behaviours, and against that of whom it declares to be."""
    rules = tuple(rules)
    shown = [rule for rule in rules if fits(rule.when, features)]
    declared = {identity.identity_rule, identity.toolkit_rule}
    expected = [rule for rule in rules if declared & set(rule.identities)]
    agrees = any(not contradicts(rule.when, features) for rule in expected)
    return Behaviour(
        rules=tuple(rule.id for rule in shown),
        mismatch=() if agrees else tuple(rule.id for rule in expected),
        another=_another(shown, features, identity),
    )


def _another(shown: list[BehaviourRule], features: Features, identity: Identity) -> str | None:
    """Whose behaviour alone is shown, if that is not who the peer declares to be."""
    implementations = {rule.implementation for rule in shown}
    declares = features.get("class_uid") is not None or features.get("version_name") is not None
    if len(implementations) != 1 or not declares or implementations & identity.names:
        return None
    return implementations.pop()
