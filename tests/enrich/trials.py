"""The rules tried on every capture whose product is known: what they say of it, and how often they are wrong.

`tests/data/products.toml` says what each captured product is. Only conversations whose request a sweep could send are tried:
one sound request for Verification, for services of the profile `capabilities` or for an unknown one, under some called AE title.
"""

import tomllib
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pipeline.associate.conversation import Conversation
from pipeline.enrich import behaviour, feature, identity, offer, suspicion
from pipeline.enrich.behaviour import BehaviourMatch
from pipeline.enrich.feature import Features
from pipeline.enrich.identity import Identity
from pipeline.enrich.ruleset import IMPLEMENTATIONS, Ruleset
from pipeline.enrich.suspicion import SuspicionClass
from pipeline.record.visit import columns
from pipeline.wire import outgoing
from tests.captures import DATA, FIXTURES, Row, name, packets

OUTGOING = outgoing.encode(calling_ae="DICOM-CENSUS", class_uid=outgoing.class_uid("https://census.example.org/"))
HOST = 0xC13E0001
#: Cases whose request a sweep could send; the others are of a laboratory alone.
LIKE_OURS = ("01", "02", "03", "04", "05", "06", "07", "28")
#: Classes of suspicion that no honest server should be in.
ACCUSES = (SuspicionClass.HONEYPOT, SuspicionClass.IMPLAUSIBLE)


@dataclass(frozen=True, slots=True)
class Product:
    """What some captures really are: those whose name begins with one of `captures`."""

    name: str
    captures: tuple[str, ...]
    toolkit: str | None = None
    product: str | None = None
    honeypot: bool = False

    @property
    def implementations(self) -> frozenset[str]:
        """Its toolkit and product, as rules call them."""
        return frozenset(name for name in (self.toolkit, self.product) if name)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a captured server, with its features."""

    capture: str
    product: Product
    row: Row
    features: Features


@dataclass(frozen=True, slots=True)
class Said:
    """What rules say of an answer."""

    answer: Answer
    identity: Identity
    match: BehaviourMatch
    suspicions: tuple[str, ...]

    @property
    def rules(self) -> frozenset[str]:
        """The identity rules that named it."""
        return frozenset(rule for rule in (self.identity.identity_rule, self.identity.toolkit_rule) if rule)

    @property
    def wrongly_named(self) -> bool:
        """Whether toolkit or product are not what they really are."""
        truth = self.answer.product
        named = ((self.identity.toolkit, truth.toolkit), (self.identity.product, truth.product))
        return any(said is not None and said != really for said, really in named)


@cache
def products() -> tuple[Product, ...]:
    """The captured products."""
    rows = tomllib.loads((DATA / "products.toml").read_text("utf-8"))["product"]
    return tuple(Product(**row | {"captures": tuple(row["captures"])}) for row in rows)


def product_of(capture: str) -> Product:
    """What a capture really is."""
    found = [
        product
        for product in products()
        if any(capture.startswith(f"{begin}-") or capture == begin for begin in product.captures)
    ]
    assert len(found) == 1, f"{capture} must be one product of tests/data/products.toml; found {found}"
    return found[0]


def row_of(events: list[tuple[str, bytes]], ip: int = HOST, port: int = 104) -> dict[str, Any]:
    """The row of `associations` for a captured conversation, with the captured request in place of ours."""
    talk = Conversation(replace(OUTGOING, request=events[0][1]), echo=True, ip=ip, port=port, started_at_us=0)
    talk.connected(10)
    for kind, data in events:
        if kind == "recv":
            talk.received(data, 20)
    return columns(talk.visit())


@cache
def answers() -> tuple[Answer, ...]:
    """All captured answers to requests like ours."""
    return tuple(_answers())


def _answers() -> Iterator[Answer]:
    for fixture in FIXTURES:
        events = packets(fixture)
        if not fixture["case"].startswith(LIKE_OURS):
            continue
        row = row_of(events)
        if row["like_dicom"]:
            capture = name(fixture)
            yield Answer(capture, product_of(capture), row, feature.of(row, offer.offer(events[0][1])))


def judge(answer: Answer, rules: Ruleset) -> Said:
    """What the rules say of an answer, as the table `fingerprints` has it."""
    named = rules.identities.of(answer.features)
    match = behaviour.match(rules.behaviours, answer.features, named)
    features = dict(answer.features) | {"behaves_like_another": match.another}
    return Said(answer, named, match, suspicion.raised_suspicions(rules.suspicions, features))


def said(rules: Ruleset) -> list[Said]:
    """What the rules say of all captured answers."""
    return [judge(answer, rules) for answer in answers()]


@dataclass(frozen=True, slots=True)
class Trial:
    """The captures that a rule was tried on, and those of them that it got right and wrong."""

    tried: frozenset[str]
    right: frozenset[str]
    wrong: frozenset[str]


def _trial(tried: Iterable[Said], hits: Iterable[Said], wrong: Iterable[Said]) -> Trial:
    """The captures of answers: tried, and hit rightly and wrongly. A capture that was wrong once is wrong."""
    sets = [frozenset(one.answer.capture for one in part) for part in (tried, hits, wrong)]
    return Trial(sets[0], sets[1] - sets[2], sets[2])


def identities(rules: Ruleset, results: list[Said]) -> Mapping[str, Trial]:
    """Each identity rule's trial: the captures that it named."""
    return {
        rule.id: _trial(
            named := [one for one in results if rule.id in one.rules],
            named,
            [one for one in named if one.wrongly_named],
        )
        for rule in rules.identity_rules
    }


def mismatches(rules: Ruleset, results: list[Said]) -> Mapping[str, Trial]:
    """For each identity rule, the captures that it named rightly and whose behaviour was compared with what is known of it."""
    found = {}
    for rule in rules.identity_rules:
        known = [each for each in rules.behaviours if rule.id in each.identities]
        tried = [
            one
            for one in results
            if rule.id in one.rules and any(_looked_at(each.when, one.answer.features) for each in known)
        ]
        false = [one for one in tried if one.match.mismatch and not one.wrongly_named]
        found[rule.id] = _trial(tried, [one for one in tried if one.match.mismatch], false)
    return found


def suspicions(rules: Ruleset, results: list[Said]) -> Mapping[str, Trial]:
    """Each suspicion's trial: the captures in which all that it looks at was seen. It is wrong where it marks an honest product."""
    return {
        rule.id: _trial(
            [one for one in results if _looked_at(rule.when, one.answer.features)],
            marked := [one for one in results if rule.id in one.suspicions],
            [one for one in marked if not one.answer.product.honeypot],
        )
        for rule in rules.suspicions
    }


def _looked_at(when: Mapping[str, object], features: Features) -> bool:
    """Whether all that conditions are about was seen; whose behaviour it is, of whoever declares something."""
    seen = dict(features) | {"behaves_like_another": features.get("class_uid") or features.get("version_name")}
    return all(seen.get(key) is not None for key in when)


def without(rules: Ruleset, product: Product) -> Ruleset:
    """The rules that would be known without a product: those that only its captures show are gone."""
    results = said(rules)
    return reduced(
        rules,
        _only(product, identities(rules, results)),
        _only(product, behaviours(rules)),
        _only(product, suspicions(rules, results)),
    )


def _only(product: Product, trials: Mapping[str, Trial]) -> set[str]:
    """The rules that only captures of a product show."""
    shown = {id: {product_of(capture) for capture in trial.right | trial.wrong} for id, trial in trials.items()}
    return {id for id, whose in shown.items() if whose == {product}}


def reduced(rules: Ruleset, named: Container[str], behaving: Container[str], doubts: Container[str]) -> Ruleset:
    """The rules without some identities, behaviours and suspicions."""
    kept = tuple(rule for rule in rules.identity_rules if rule.id not in named)
    names = {rule.id for rule in kept}
    shown = (rule for rule in rules.behaviours if rule.id not in behaving and names.intersection(rule.identities))
    return replace(
        rules,
        identity_rules=kept,
        identities=identity.compile_rules(IMPLEMENTATIONS, kept),
        behaviours=tuple(shown),
        suspicions=tuple(rule for rule in rules.suspicions if rule.id not in doubts),
    )


def behaviours(rules: Ruleset) -> Mapping[str, Trial]:
    """Each behaviour rule's trial: the captures that show it, and those of another implementation among them."""
    results = said(rules)
    return {
        rule.id: _trial(
            [one for one in results if _looked_at(rule.when, one.answer.features)],
            shown := [one for one in results if rule.id in one.match.rules],
            [one for one in shown if rule.implementation not in one.answer.product.implementations],
        )
        for rule in rules.behaviours
    }
