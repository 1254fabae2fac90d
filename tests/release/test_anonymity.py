"""Microdata against an intruder who links them with the marts and with the previous release."""

import random
from collections import Counter
from typing import Any

import pytest

from pipeline.release import anonymity
from pipeline.release.anonymity import DisclosureRule, Kind, Shown
from pipeline.release.microdata import COLUMNS, everywhere, published
from tests.release import attack, world

K = 5
WORLDS = range(12)


def passed(made: world.Services, rule: DisclosureRule) -> Shown:
    """What the rule lets pass, given the marts of the same services."""
    marts = world.marts(made, K)
    services = Counter(kind for _, kind in made)
    parts = {kind: list(published(marts, kind)) for kind in services}
    return anonymity.shown(services, parts, {kind: list(everywhere(kind)) for kind in services}, rule)


def rows(shown: Shown) -> list[dict[str, Any]]:
    """The rows, as a release has them."""
    kinds = [
        dict(zip(COLUMNS, kind, strict=True)) | {"country_only": False}
        for kind, n in shown.kinds.items()
        for _ in range(n)
    ]
    blank = dict.fromkeys(COLUMNS)
    return [
        *kinds,
        *(blank | {"country": c, "country_only": True} for c, n in shown.withheld.items() for _ in range(n)),
    ]


def attacks(made: world.Services, shown: Shown) -> list[str]:
    """What an intruder learns from one release."""
    marts = {name: mart.rows for name, mart in world.marts(made, K).items()}
    countries = {line["country"]: line["services"] for line in marts["countries"]}
    products = Counter(kind[5] for _, kind in made)
    lines = rows(shown)
    return [
        *attack.by_looking(lines, K),
        *attack.by_subtraction(lines, marts, K),
        *attack.by_elimination(lines, countries, products, K),
    ]


@pytest.mark.parametrize("seed", WORLDS)
def test_no_attack_finds_a_few_services(seed: int) -> None:
    """No row, difference from a mart, or elimination over all countries tells fewer than k services from the others."""
    made = world.services(random.Random(seed))
    shown = passed(made, DisclosureRule(K))
    assert attacks(made, shown) == []
    assert sum(shown.kinds.values()) + sum(shown.withheld.values()) + shown.left_out == len(made)


def test_much_is_shown() -> None:
    """Most services are still shown with all columns: the rule does not pass by showing nothing."""
    shares = []
    for seed in WORLDS:
        made = world.services(random.Random(seed))
        shares.append(sum(passed(made, DisclosureRule(K)).kinds.values()) / len(made))
    assert sorted(shares)[len(shares) // 2] > 0.4


def test_the_attacks_work() -> None:
    """Kinds of at least k alone, which is k-anonymity as it is mostly meant, do not withstand these attacks."""
    broken = 0
    for seed in WORLDS:
        made = world.services(random.Random(seed))
        counted = Counter(kind for _, kind in made)
        naive = {kind: n for kind, n in counted.items() if n >= K}
        rest = Counter(kind[0] for _, kind in made if kind not in naive)
        broken += bool(attacks(made, Shown(naive, {c: n for c, n in rest.items() if n >= K}, 0)))
    assert broken > 1


def test_all_is_seen_by_looking() -> None:
    """Rows of too few alike are noticed by the intruder."""
    row = {**dict.fromkeys(COLUMNS, "x"), "decoy": False, "country_only": False}
    assert attack.by_looking([row] * 4, K) and not attack.by_looking([row] * 5, K)


@pytest.mark.parametrize("seed", WORLDS)
def test_two_releases_do_not_tell_what_changed(seed: int) -> None:
    """A week later no kind that both releases show has changed a little, and no country of which few services changed is shown."""
    draw = random.Random(seed)
    before = world.services(draw)
    first = passed(before, DisclosureRule(K))
    now = world.later(draw, before, {"US": 30, "GB": 2, "DE": 0})
    changed = anonymity.changed(before, now)
    assert 0 < changed["GB"] < K <= changed["US"] and "DE" not in changed
    closed = frozenset(country for country, n in changed.items() if 0 < n < K)
    rule = DisclosureRule(K, closed, {kind: frozenset({n}) for kind, n in first.kinds.items()})
    second = passed(now, rule)
    assert attacks(now, second) == []
    assert attack.by_comparison(rows(second), rows(first), changed, K) == []
    naive = passed(now, DisclosureRule(K))
    assert attack.by_comparison(rows(naive), rows(first), changed, K)


def test_changes_are_counted_by_country() -> None:
    """Services that came, went, look otherwise or moved count in each country that they were or are in."""
    gb: Kind = ("GB", "a")
    then = [(1, gb), (2, gb), (3, ("DE", "a")), (4, ("US", "a"))]
    now = [(1, gb), (3, ("DE", "b")), (4, ("FR", "a")), (5, gb)]
    assert anonymity.changed(then, now) == {"GB": 2, "DE": 1, "US": 1, "FR": 1}


def test_one_country_shows_what_its_marts_show() -> None:
    """With one country alone the marts say how many have each product, so rows that say no more are not withheld for it."""
    made = [(n, kind) for n, kind in world.services(random.Random(1)) if kind[0] == "US"]
    assert passed(made, DisclosureRule(K)).kinds
