"""Worlds in which nothing happens that a report should speak of, through lake, SQL and conclusions."""

from typing import Any

import duckdb
import numpy as np
import pytest

from pipeline.publish import estimates
from pipeline.publish.gather import query
from pipeline.publish.scope import restricted
from tests.analysis import lake
from tests.publish import demo

SWEEPS = ("s1", "s2", "s3")
#: Services of the block that a new build of the database moves, and of the rest of each of the two countries.
BLOCK, REST = 300, 300


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
