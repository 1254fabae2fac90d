"""Worlds with a known truth, in most of which nothing happens that a report should speak of, through lake, SQL and conclusions."""

from collections import defaultdict
from typing import Any

import duckdb
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.publish import estimates
from pipeline.publish.data import Comparison
from pipeline.publish.gather import query
from pipeline.publish.scope import restricted
from tests.analysis import lake
from tests.publish import demo, loss_worlds

SWEEPS = ("s1", "s2", "s3")
#: Services of the block that a new build of the database moves, and of the rest of each of the two countries.
BLOCK, REST = 300, 300
#: Worlds of each kind, and pairs of weeks.
WORLDS, PAIRS = 1_000, 12


@pytest.fixture(scope="module")
def moved() -> duckdb.DuckDBPyConnection:
    """Before the last of three sweeps a new build moves a block of services from DE to NL; a tenth of all is replaced each time."""
    draw = np.random.default_rng(20260601)
    places = np.arange(2 * (BLOCK + 2 * REST)) * 32
    there = np.arange(places.size) % 2 == 0
    associations: list[dict[str, Any]] = []
    locations: list[dict[str, Any]] = []
    for sweep in SWEEPS:
        if sweep != "s1":
            turned = draw.random(places.size // 2) < 0.1
            there = there ^ np.repeat(turned, 2)
        for number in np.flatnonzero(there).tolist():
            target = {"sweep": sweep, "ip": int(places[number])}
            associations.append(target | {"port": 104, "outcome": "accepted"})
            locations.append(target | {"country": country(number // 2, sweep)})
    return lake.connect(
        sweeps=[
            demo.sweep_row(1_000_000, 900) | {"sweep": sweep, "started_at": lake.WHEN.replace(day=1 + 7 * week)}
            for week, sweep in enumerate(SWEEPS)
        ],
        methods=[{"sweep": sweep, "method_digest": "m"} for sweep in SWEEPS],
        space=[{"sweep": sweep, "first": 0, "last": 2**32 - 1} for sweep in SWEEPS],
        associations=associations,
        locations=locations,
    )


def country(number: int, sweep: str) -> str:
    """The country of a service by the database of a sweep's time."""
    if number < BLOCK:
        return "NL" if sweep == "s3" else "DE"
    return "DE" if number < BLOCK + REST else "NL"


def test_a_new_country_database_is_not_a_change(moved: duckdb.DuckDBPyConnection) -> None:
    """A block that a new build moves makes neither country grow or fall, and is counted as moved by the database."""
    rows = query(moved, "compared", before="s2", sweep="s3")
    changes = {row.country: row for row in estimates.changes(rows, None, None)}
    assert [row.flag for row in changes.values()] == ["", "", ""]
    assert min(row.p_growth for row in changes.values()) > 0.05
    assert changes["NL"].moved_in == changes["DE"].moved_out == BLOCK
    assert changes["DE"].moved_in == changes["NL"].moved_out == 0


def test_a_new_country_database_ends_no_service(moved: duckdb.DuckDBPyConnection) -> None:
    """In the edition of the country that the block leaves nine of ten services stay, and its trend has no step."""
    with restricted(moved, "DE"):
        (first, second, last) = query(moved, "recaptures", sweep="s3")
    assert first["again"] / first["caught"] == pytest.approx(0.9, abs=0.05)
    assert last["marked"] / second["caught"] == pytest.approx(0.9, abs=0.05)
    trend = [row for row in query(moved, "country_trend", sweep="s3") if row["country"] == "DE"]
    assert [row["services"] for row in trend] == pytest.approx([REST] * 3)
    assert sum(row["moved_in"] for row in query(moved, "country_trend", sweep="s3")) == 2 * BLOCK


@pytest.mark.parametrize(
    ("ratio", "spread"),
    [(1.0, 0.0), (1.0, 0.7), (2.0, 0.0), (2.0, 0.7)],
    ids=["alike", "by country", "services", "both"],
)
def test_the_loss_of_services_is_known_by_country(ratio: float, spread: float) -> None:
    """Where loss differs by country, and where services lose twice as much as other hosts, the intervals cover the truth as often as
    they say: of all countries together in 93 to 97 % of worlds, and of each in no fewer.
    """
    worlds = loss_worlds.Worlds(np.random.default_rng(5), ratio, spread)
    names = [f"s{number}" for number in range(WORLDS)]
    counts = [[int(seen.sum()) for seen in worlds.sweep(name)] for name in names]
    rows = defaultdict(list)
    for row in worlds.rows():
        rows[row["sweep"]].append(row)
    found = estimates.estimates(
        [count for each in counts for count in (sum(each), *each)], 1.0,
        [look for name in names for look in loss_worlds.looks_of(rows[name], name)],
    )  # fmt: skip
    truth = np.tile([loss_worlds.SERVICES.sum(), *loss_worlds.SERVICES], WORLDS)
    covered = np.array([e.low <= there <= e.high for e, there in zip(found, truth, strict=True)]).reshape(WORLDS, -1)
    assert 0.93 <= covered[:, 0].mean() <= 0.97
    assert covered[:, 1:].mean() >= 0.93


@pytest.mark.parametrize("silenced", [(0.1, 0.1), (0.1, 0.4), (0.0, 0.4)], ids=["alike", "second more", "second alone"])
def test_services_whose_conversations_are_lost_make_it_at_least(silenced: tuple[float, float]) -> None:
    """Conversations that are lost after the SYN-ACK, after a second SYN too, are in no estimate: it is no more than what is there.

    The lower end is below the truth in 97 % of worlds or more; the upper end is not always above it.
    """
    worlds = loss_worlds.Worlds(np.random.default_rng(8), 1.5, 0.4, silenced)
    names = [f"s{number}" for number in range(WORLDS // 4)]
    counts = [sum(int(seen.sum()) for seen in worlds.sweep(name)) for name in names]
    rows = defaultdict(list)
    for row in worlds.rows():
        rows[row["sweep"]].append(row)
    found = estimates.estimates(counts, 1.0, [loss_worlds.looks_of(rows[name], name)[0] for name in names])
    truth = int(loss_worlds.SERVICES.sum())
    assert np.mean([estimate.low <= truth for estimate in found]) >= 0.97
    assert np.mean([estimate.value for estimate in found]) <= truth
    if silenced[0]:
        assert np.mean([estimate.high < truth for estimate in found]) > 0.9


def test_loss_that_moves_between_countries_is_no_change() -> None:
    """Where nothing changes but the loss of each country from week to week, a report seldom says that a country grew or fell."""
    worlds = loss_worlds.Worlds(np.random.default_rng(6), 2.0, 0.7)
    weeks = [(f"a{number}", f"b{number}") for number in range(PAIRS)]
    compared = [[_change(*pair) for pair in zip(*map(worlds.sweep, pair), strict=True)] for pair in weeks]
    rows, named, total = worlds.rows(), 0, 0
    for (before, now), each in zip(weeks, compared, strict=True):
        changed = [row | {"country": name} for name, row in zip(loss_worlds.COUNTRIES, each, strict=True)]
        then = Comparison(
            before, now, lake.WHEN, tuple(changed), country_loss=tuple(r for r in rows if r["sweep"] in (before, now))
        )
        whole, *countries = then.changes
        named += any(row.flag in ("up", "down") for row in countries)
        total += whole.flag in ("up", "down")
    assert named <= 0.05 * PAIRS + 2 and total <= 0.05 * PAIRS + 2


def _change(before: NDArray[np.bool_], now: NDArray[np.bool_]) -> dict[str, Any]:
    """The change of a country whose services are each in a network of its own."""
    came, went = np.flatnonzero(now & ~before).tolist(), np.flatnonzero(before & ~now).tolist()
    networks = [{"network": f"n{n}", "came": int(n in came), "went": int(n in went)} for n in (*came, *went)]
    counts = {"stayed": int((before & now).sum()), "came": len(came), "went": len(went), "networks": networks}
    return dict.fromkeys(estimates.COUNTS, 0) | counts
