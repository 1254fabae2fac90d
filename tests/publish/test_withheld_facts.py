"""What is withheld of a country in all tables, against an intruder who solves the equations of all that is published."""

import random
from statistics import median

import pytest

from pipeline.publish.scope import Scope
from tests.publish import disclosure_worlds, history
from tests.release import equations

K = 5
WORLDS = range(24)
WEEKLY = [sweep.id for sweep in history.history() if sweep.name == "weekly"]


def world(seed: int) -> list[disclosure_worlds.Service]:
    return disclosure_worlds.services(random.Random(seed))


def test_no_small_cell_follows_from_all_tables_together() -> None:
    """In worlds of 2 to 15 countries no count of few services of a country is the only solution of all published sums."""
    found = {seed: equations.recovered(disclosure_worlds.published(world(seed), K), K) for seed in WORLDS}
    assert {seed: cells for seed, cells in found.items() if cells} == {}


def test_the_intruder_finds_what_only_each_table_hides() -> None:
    """With small cells withheld in each table for itself, the same intruder recovers some in some worlds."""
    found = [equations.recovered(disclosure_worlds.published(world(seed), K, complemented=False), K) for seed in WORLDS]
    assert sum(map(bool, found)) > len(WORLDS) / 6


def test_most_services_are_in_countries_that_are_shown() -> None:
    """The rule does not pass by showing nothing: in the median world most services are in countries whose answers are published."""
    shares = []
    for seed in WORLDS:
        rows = disclosure_worlds.published(world(seed), K)["countries"]
        shares.append(
            sum(row["services"] for row in rows if row["accepting"] is not None) / sum(r["services"] for r in rows)
        )
    assert median(shares) > 0.7


@pytest.mark.parametrize("sweep", WEEKLY[::3])
def test_no_small_cell_follows_from_a_report(sweep: str) -> None:
    """The same holds for the marts of a report, which its pages, downloads and JSON are made of."""
    gathered = history.gathered(sweep, Scope())
    tables = {
        name: [row for row in mart.rows if row.get("sweep", sweep) == sweep] for name, mart in gathered.marts.items()
    }
    assert equations.recovered(tables, K) == []
    assert any(row["decoys"] is None for row in tables["countries"])


@pytest.mark.parametrize("country", ["GB", "DE"])
def test_an_edition_withholds_what_the_world_does(country: str) -> None:
    """A country's edition shows none of the counts that the report of all countries withholds of it, whatever table they are in."""
    world_row = next(row for row in history.gathered(WEEKLY[3]).marts["countries"].rows if row["country"] == country)
    marts = history.gathered(WEEKLY[3], Scope(country=country)).marts
    for column in ("accepting", "rejected", "aborted", "decoys"):
        assert (marts["totals"].rows[0][column] is None) == (world_row[column] is None)
    if world_row["accepting"] is None:
        assert marts["rejections"].rows == ()
        assert all(
            row["accepting"] is None
            for row in (*marts["products"].rows, *marts["ports"].rows, *marts["trend"].rows[-1:])
        )
        assert not {row["outcome"] for row in marts["outcomes"].rows} & {"accepted", "rejected", "aborted"}


def test_a_series_withholds_the_same_of_each_sweep() -> None:
    """What the trend withholds of an earlier sweep is what the report of that sweep withheld."""
    last = history.gathered(WEEKLY[2])
    for sweep in WEEKLY[:3]:
        own = {row["country"]: row for row in history.gathered(sweep).marts["countries"].rows}
        for row in (row for row in last.marts["country_trend"].rows if row["sweep"] == sweep):
            for column in ("decoys", "accepting"):
                assert (row[column] is None) == (own[row["country"]][column] is None)
