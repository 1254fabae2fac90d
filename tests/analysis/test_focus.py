"""Estimates of focus sweeps: that their intervals cover the truth, and that no other mart takes a focus for a whole sweep."""

from typing import Any

import numpy as np
import pytest

from benchmarks import focus
from tests.analysis.lake import connect, rows

#: A focus sweep of two /24s that were known and one that was drawn with a chance of a tenth, after a whole sweep of 40 /24s.
SWEEPS = [
    {"sweep": "w", "name": "n", "addresses": 10240, "sampled_addresses": 10240, "vantages": ["v"]},
    {
        "sweep": "f", "name": "n", "addresses": 768, "sampled_addresses": 768, "vantages": ["v"], "focus": ["w"],
        "focus_addresses": 10240,
    },
]  # fmt: skip
SPACE = [
    {"sweep": "w", "first": 0, "last": 10239},
    {"sweep": "f", "first": 0, "last": 511, "inclusion": 1.0},
    {"sweep": "f", "first": 512, "last": 767, "inclusion": 0.1},
]


def service(sweep: str, ip: int) -> dict[str, Any]:
    """An accepting service."""
    return {"sweep": sweep, "ip": ip, "port": 104, "outcome": "accepted"}


def test_two_hundred_worlds() -> None:
    """A focus sweep sends at most 8 % of the packets, finds 97 %, and its interval holds the truth in 93 to 97 % of 200 worlds.

    The mean estimate is right, and the interval of the change since the week before holds the truth in 93 % or more.
    """
    kind = next(kind for kind in focus.KINDS if kind.name == "lively")
    seen = focus.figures([focus.see(kind, seed, weeks=1) for seed in range(200)])
    assert seen.packets <= 0.08 and seen.found >= 0.97
    assert 0.93 <= seen.total_right <= 0.97 and seen.change_right >= 0.93
    assert seen.estimated == pytest.approx(1, abs=0.003)


def test_what_was_not_probed_is_not_gone() -> None:
    """Services that a focus did not probe are in no count of changes: neither missing nor gone, nor are those it found new."""
    con = connect(
        sweeps=SWEEPS,
        space=SPACE,
        methods=[{"sweep": sweep["sweep"], "method_digest": sweep["sweep"]} for sweep in SWEEPS],
        associations=[service("w", 100), service("w", 9000), service("f", 100), service("f", 600)],
    )
    for mart in (
        "transitions",
        "changes",
        "change_totals",
        "cohorts",
        "returns",
        "survival",
        "focus_changes",
        "vantages",
    ):
        assert rows(con, f"FROM {mart}") == [], mart
    assert rows(con, "SELECT sweep FROM series") == [("w",)]


def test_no_mart_multiplies_a_focus_by_one_share() -> None:
    """Marts that estimate by the sampled share have no estimate and no rate of a focus, and its counts as they are."""
    con = connect(
        sweeps=SWEEPS,
        space=SPACE,
        coverage=[{"sweep": "f", "country": "DE", "addresses": 768}],
        associations=[service("f", 100), service("f", 600)],
        locations=[{"sweep": "f", "ip": ip, "country": "DE"} for ip in (100, 600)],
    )
    columns = (
        "services, services_estimated, services_low, services_high, per_million, per_million_low, addresses_probed"
    )
    for mart in ("totals", "countries"):
        assert rows(con, f"SELECT {columns} FROM {mart} WHERE sweep = 'f'") == [(2, None, None, None, None, None, 768)]
    assert rows(con, "FROM rates WHERE sweep = 'f'") == []
    ((estimated,),) = rows(con, "SELECT services_estimated FROM focus_totals WHERE of_all")
    assert estimated == 11.0


@pytest.mark.parametrize(("k", "each", "share"), [(0, 1.0, 0.05), (7, 2.5, 0.1), (400, 1.2, 0.9)])
def test_the_ends_are_those_of_the_score_test(k: int, each: float, share: float) -> None:
    """At both ends the count lies 1.96 standard deviations from what the total lets expect; with a share of 1 there is no doubt."""
    ((low, high),) = rows(connect(), f"SELECT drawn_low({k}, {each}, {share}), drawn_high({k}, {each}, {share})")
    for total in {low, high} - {k}:
        deviation = np.sqrt(each * total * share * (1 - share))
        assert abs(k - total * share) / deviation == pytest.approx(1.959964, rel=1e-6)
    assert low <= k / share <= high
    assert rows(connect(), f"SELECT drawn_low({k}, {each}, 1), drawn_high({k}, {each}, 1)") == [(k, k)]
