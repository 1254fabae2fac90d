"""Seeded worlds through lake, SQL and sentences: what a report says of them covers the truth, or is a bound that holds."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.publish import change_sentences, sentences
from pipeline.publish.estimates import Estimate
from tests.publish.review_worlds import CODES, COUNTRIES, Kind, Lived

#: The share of countries whose interval must cover: three standard errors of 100 trials below 95 %.
COVERS = 0.885
#: What a report says of a country that grew or fell, and of the number of services.
NAMES, AT_LEAST = "A change that chance rarely makes was seen in", "at least an estimated"


@dataclass(frozen=True)
class Fact:
    """A kind of world, and what a report may say of it: `bound` is whether the number is only at least so large."""

    kind: Kind
    bound: bool = False
    said: tuple[str, ...] = field(default=())


MANY = "Many of these may be the same systems at another address."
DATABASE = "newer build of the country database places"
FACTS = (
    Fact(Kind("a new database moves single /24s", ends=0.02, moved=0.02), said=(MANY, DATABASE)),
    Fact(Kind("paths blocked and redrawn", blocked=0.03, redrawn=1 / 3), bound=True, said=(MANY,)),
    Fact(Kind("whole /24s end and begin", ends=0.05, together=0.5), said=(MANY,)),
    Fact(Kind("loss by country and week, services lose more", spread=0.7, ratio=2.0)),
    Fact(Kind("addresses renewed", renewed=0.3), said=(MANY,)),
    Fact(
        Kind("all of it", 0.02, together=0.5, renewed=0.3, spread=0.7, ratio=2.0, blocked=0.03, redrawn=1 / 3, moved=0.02),
        bound=True, said=(MANY, DATABASE),
    ),
)  # fmt: skip


def covered(estimates: list[Estimate], truth: NDArray[np.int64]) -> float:
    """The share of intervals that hold the truth."""
    return float(np.mean([e.low <= true <= e.high for e, true in zip(estimates, truth.tolist(), strict=True)]))


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.kind.name)
def test_a_report_is_right_in_it(fact: Fact) -> None:
    """Of 100 countries, each a trial, the intervals of services there, gone and new cover the truth, or the lower end holds.

    No country is named as grown or fallen, since as many services begin as end. Gone are addresses that were seen and can no longer be
    reached, and new are those that are seen and could not be.
    """
    world = Lived(fact.kind, 1)
    facts = world.facts
    there = dict(zip((row["country"] for row in facts.with_services), facts.by_country, strict=True))
    changes = {row.country: row for row in facts.changes[1:]}
    before, now = (each & reached for each, reached in zip((world.before, world.now), world.reached, strict=True))
    services = world.by_country(world.now)
    shares = {
        "there": covered([there[code] for code in CODES], services),
        "at least": float(np.mean([there[code].low <= true for code, true in zip(CODES, services, strict=True)])),
        "gone": covered([changes[code].gone for code in CODES], world.by_country(world.seen[0] & ~now)),
        "new": covered([changes[code].new for code in CODES], world.by_country(world.seen[1] & ~before)),
    }
    named = [code for code in CODES if changes[code].flag in ("up", "down")]
    by_chance = np.mean([changes[code].p_growth < 0.05 for code in CODES])
    print(
        fact.kind.name, {name: f"{share:.1%}" for name, share in shares.items()}, f"p < 5 % in {by_chance:.1%}", named
    )
    assert shares["gone"] >= COVERS and shares["new"] >= COVERS and shares["at least"] >= 0.95
    assert fact.bound or shares["there"] >= COVERS
    assert not named and by_chance <= 0.05 + 3 * (0.05 * 0.95 / COUNTRIES) ** 0.5
    told = " ".join((sentences.certainty(facts), *change_sentences.sentences(facts)))
    assert NAMES not in told and all(words in told for words in (AT_LEAST, *fact.said))
