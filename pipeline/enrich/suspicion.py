"""Suspicions about an answer: rules on features, each with its explanation. They mark rows and delete none."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from pipeline.enrich.feature import Features
from pipeline.enrich.rule import Conditions, Rule, check_conditions, fits
from pipeline.errors import InputError
from pipeline.outcome import Explained


class SuspicionClass(Explained):
    """The class of a suspicion."""

    HONEYPOT = "honeypot", "It may be a trap, not a medical system."
    ANSWERS_EVERYTHING = "answers_everything", "It may be a network that answers for addresses without hosts."
    IMPLAUSIBLE = "implausible", "It answers as no server can that reads our request."
    UNUSUAL = "unusual", "It answers as no honest captured product does; one that nobody has captured may."


class SuspicionRule(Rule, frozen=True, kw_only=True):
    """A suspicion, and the conditions that raise it."""

    suspicion_class: SuspicionClass = msgspec.field(name="class")
    meaning: str
    when: Conditions


def check(path: Path, rules: Iterable[SuspicionRule]) -> None:
    """Raise InputError for rules with unknown features or without a one-line explanation."""
    for rule in rules:
        check_conditions(path, rule.id, rule.when)
        if not rule.meaning.endswith(".") or "\n" in rule.meaning:
            raise InputError(f"{path}, id {rule.id}, key meaning", "must be a sentence on one line")


def raised_suspicions(rules: Iterable[SuspicionRule], features: Features) -> tuple[str, ...]:
    """The ids of all suspicions that an answer raises, in file order."""
    return tuple(rule.id for rule in rules if fits(rule.when, features))
