"""Reasons to doubt an answer: rules over features, each with its explanation. They mark rows and delete none."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from pipeline.enrich.feature import Features
from pipeline.enrich.rule import Rule, When, check_when, fits
from pipeline.errors import InputError
from pipeline.outcome import Explained


class Doubt(Explained):
    """What kind of doubt a suspicion raises."""

    HONEYPOT = "honeypot", "It may be a trap, not a medical system."
    ANSWERS_EVERYTHING = "answers_everything", "It may be a network that answers for addresses without hosts."
    IMPLAUSIBLE = "implausible", "It answers as no server does that reads our request."


class SuspicionRule(Rule, frozen=True, kw_only=True):
    """A suspicion, and the features that raise it."""

    doubt: Doubt = msgspec.field(name="class")
    meaning: str
    when: When


def check(path: Path, rules: Iterable[SuspicionRule]) -> None:
    """Refuse rules over unknown features or without an explanation of one line. Raises InputError."""
    for rule in rules:
        check_when(path, rule.id, rule.when)
        if not rule.meaning.endswith(".") or "\n" in rule.meaning:
            raise InputError(f"{path}, id {rule.id}, key meaning", "must be a sentence on one line")


def raised(rules: Iterable[SuspicionRule], features: Features) -> tuple[str, ...]:
    """The ids of all suspicions that an answer raises, in the order of the file."""
    return tuple(rule.id for rule in rules if fits(rule.when, features))
