"""Match a peer's features with the known behaviours of implementations, independently of what the peer declares."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.enrich.feature import Features
from pipeline.enrich.identity import Identity
from pipeline.enrich.rule import Conditions, Rule, check_conditions, contradicts, fits
from pipeline.errors import InputError


class BehaviourRule(Rule, frozen=True, kw_only=True):
    """A known behaviour of an implementation, and the identity rules that identify that implementation."""

    implementation: str
    identities: tuple[str, ...]
    when: Conditions


@dataclass(frozen=True, slots=True)
class BehaviourMatch:
    """The known behaviours that an answer shows, and those of its declared identity if it contradicts all of them."""

    rules: tuple[str, ...]
    mismatch: tuple[str, ...]
    another: str | None


def check(path: Path, rules: tuple[BehaviourRule, ...], identities: frozenset[str]) -> None:
    """Raise InputError for rules with unknown features or unknown identities."""
    for rule in rules:
        check_conditions(path, rule.id, rule.when)
        unknown = sorted(set(rule.identities) - identities)
        if unknown or not rule.identities:
            reason = (
                f"must list identity rules; unknown: {', '.join(unknown)}"
                if unknown
                else "must list at least one identity rule"
            )
            raise InputError(f"{path}, id {rule.id}, key identities", reason)


def match(rules: Iterable[BehaviourRule], features: Features, identity: Identity) -> BehaviourMatch:
    """Compare an answer with all known behaviours, and with those of the implementation that it declares."""
    rules = tuple(rules)
    shown = [rule for rule in rules if fits(rule.when, features)]
    declared = {identity.identity_rule, identity.toolkit_rule}
    expected = [rule for rule in rules if declared & set(rule.identities)]
    agrees = any(not contradicts(rule.when, features) for rule in expected)
    return BehaviourMatch(
        rules=tuple(rule.id for rule in shown),
        mismatch=() if agrees else tuple(rule.id for rule in expected),
        another=_another(shown, features, identity),
    )


def _another(shown: list[BehaviourRule], features: Features, identity: Identity) -> str | None:
    """The one implementation whose behaviour is shown, if it is not the one that the peer declares."""
    implementations = {rule.implementation for rule in shown}
    declares = features.get("class_uid") is not None or features.get("version_name") is not None
    if len(implementations) != 1 or not declares or implementations & identity.names:
        return None
    return implementations.pop()
