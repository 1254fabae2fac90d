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
    peculiar: bool = False
    """No other implementation answers so, by default or as it is usually configured."""


@dataclass(frozen=True, slots=True)
class BehaviourMatch:
    """The known behaviours that an answer shows, and those of its declared identity if it shows another's instead."""

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
    """Compare an answer with all known behaviours, and with those of the implementation that it declares.

    Configuration and versions change what a product answers, so a contradiction alone is no mismatch: the answer must
    show a peculiar behaviour of another implementation. Behaviours of which a feature was not observed are not compared.
    """
    rules = tuple(rules)
    shown = [rule for rule in rules if fits(rule.when, features)]
    declared = {identity.identity_rule, identity.toolkit_rule} - {None}
    another = _another(shown, declared, identity)
    expected = [rule for rule in rules if declared & set(rule.identities) and _observed(rule, features)]
    differs = another is not None and all(contradicts(rule.when, features) for rule in expected)
    return BehaviourMatch(
        rules=tuple(rule.id for rule in shown),
        mismatch=tuple(rule.id for rule in expected) if differs else (),
        another=another,
    )


def _observed(rule: BehaviourRule, features: Features) -> bool:
    """Whether all that a rule is about was observed."""
    return all(features.get(name) is not None for name in rule.when)


def _another(shown: list[BehaviourRule], declared: set[str | None], identity: Identity) -> str | None:
    """The one implementation whose peculiar behaviour is shown, if the peer declares another toolkit or product.

    A vendor alone is no contradiction: it may build on any toolkit.
    """
    peculiar = {rule.implementation for rule in shown if rule.peculiar}
    own = {rule.implementation for rule in shown if declared & set(rule.identities)}
    if len(peculiar) != 1 or not identity.names or own or peculiar & identity.names:
        return None
    return peculiar.pop()
