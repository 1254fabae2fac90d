"""The tables of `docs/fingerprints.md`: rules with their trials, features, closed sets, and what is said of captured products.

python -m tools.fingerprints_page
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pipeline.enrich import feature, ruleset
from pipeline.enrich.identity import ImplementationKind
from pipeline.enrich.rule import EvidenceGrade
from pipeline.enrich.suspicion import SuspicionClass
from pipeline.outcome import Explained
from tests.enrich import trials
from tests.enrich.trials import Product, Said, Trial

PAGE = Path(__file__).parents[1] / "docs" / "fingerprints.md"
#: A table's place on the page: its name, and what is there now.
PLACE = re.compile(r"(<!-- (\w+), by make docs -->\n).*?(<!-- end -->)", re.DOTALL)
RULES = ruleset.load()
#: Said of an answer that no identity rule names.
NOTHING = "nothing"


def page(text: str) -> str:
    """The page with its tables of today."""
    return PLACE.sub(lambda place: place[1] + "\n".join(TABLES[place[2]]()) + "\n" + place[3], text)


def _table(heading: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> Iterator[str]:
    for cells in (heading, ("---",) * len(heading)):
        yield "|" + "|".join(cells if cells[0] == "---" else (f" {cell} " for cell in cells)) + "|"
    for row in rows:
        yield "| " + " | ".join(str(cell) if cell not in ("", None) else "–" for cell in row) + " |"


def _explained(heading: str, words: Iterable[Explained]) -> Iterator[str]:
    return _table((heading, "meaning"), ((f"`{word}`", word.explanation) for word in words))


def _features() -> Iterator[str]:
    rows = ((f"`{name}`", part.meaning) for name, part in feature.FEATURES.items())
    return _table(("feature", "meaning"), rows)


def _counts(found: Mapping[str, Trial], id: str) -> tuple[int, int, int]:
    trial = found[id]
    return len(trial.tried), len(trial.right), len(trial.wrong)


def _suspicions() -> Iterator[str]:
    found = trials.suspicions(RULES, trials.said(RULES))
    rows = (
        (f"`{rule.id}`", rule.suspicion_class, rule.grade, *_counts(found, rule.id), rule.meaning, rule.evidence)
        for rule in RULES.suspicions
    )
    return _table(("suspicion", "class", "grade", "tried", "right", "wrong", "meaning", "evidence"), rows)


def _identities() -> Iterator[str]:
    results = trials.said(RULES)
    named, compared = trials.identities(RULES, results), trials.mismatches(RULES, results)
    heading = ("rule", "toolkit", "product", "vendor", "grade", "named", "wrong", "compared", "mismatched", "evidence")
    rows = (
        (
            f"`{rule.id}`", rule.toolkit, rule.product, rule.vendor, rule.grade,
            len(named[rule.id].tried), len(named[rule.id].wrong), len(compared[rule.id].tried), len(compared[rule.id].wrong),
            rule.evidence,
        )
        for rule in RULES.identity_rules
    )  # fmt: skip
    return _table(heading, rows)


def _behaviours() -> Iterator[str]:
    found = trials.behaviours(RULES)
    rows = (
        (f"`{rule.id}`", rule.implementation, "yes" if rule.peculiar else "", rule.grade, *_counts(found, rule.id), rule.evidence)
        for rule in RULES.behaviours
    )  # fmt: skip
    return _table(("rule", "implementation", "peculiar", "grade", "tried", "its own", "others'", "evidence"), rows)


def _confusion() -> Iterator[str]:
    results = trials.said(RULES)
    rows = (
        _of_product(product, [one for one in results if one.answer.product is product]) for product in trials.products()
    )
    return _table(
        ("product", "captures", "answers", "we say", "wrongly", "behaves as", "mismatched", "suspicions"), rows
    )


def _of_product(product: Product, results: list[Said]) -> tuple[object, ...]:
    captures = {one.answer.capture for one in results}
    named = Counter(one.identity.product or one.identity.toolkit or NOTHING for one in results)
    behaviours = Counter(rule for one in results for rule in one.match.rules)
    doubts = Counter(rule for one in results for rule in one.suspicions)
    return (
        product.name,
        len(captures),
        len(results),
        _counted(named, code=False),
        sum(one.wrongly_named for one in results),
        _counted(behaviours),
        sum(bool(one.match.mismatch) for one in results),
        _counted(doubts),
    )


def _counted(counter: Counter[str], *, code: bool = True) -> str:
    """Words with how often each was said, the most frequent first."""
    return ", ".join(f"`{word}` {count}" if code else f"{word} {count}" for word, count in counter.most_common())


TABLES = {
    "suspicions": _suspicions,
    "identities": _identities,
    "behaviours": _behaviours,
    "features": _features,
    "classes": lambda: _explained("class", SuspicionClass),
    "grades": lambda: _explained("grade", EvidenceGrade),
    "kinds": lambda: _explained("kind", ImplementationKind),
    "confusion": _confusion,
}


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
