"""The data that a report gathers."""

from datetime import date
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.publish.disclosure import SUPPRESSED
from pipeline.publish.gather import gather
from pipeline.publish.scope import Scope
from pipeline.views import connection
from tests.analysis import lake
from tests.publish import demo
from tests.publish.history import gathered

LAST = "20260629T030000Z-weekly"


def test_the_oldest_build_counts() -> None:
    """The oldest of several country databases decides on the warning; without a database there is no warning."""
    both = [
        {"country": code, "country_source": f"x, built {day}"}
        for code, day in (("GB", "2026-06-01"), ("FR", "2026-01-02"))
    ]
    sweep = demo.sweep_row(1_000_000, 0)
    found = gather(lake.connect(sweeps=[sweep], coverage=both), lake.SWEEP)
    assert found.geo_built == date(2026, 1, 2) and found.geo_stale
    bare = gather(lake.connect(sweeps=[sweep]), lake.SWEEP)
    assert bare.geo_age is None and not bare.geo_stale


def test_only_the_asked_sweep_is_gathered() -> None:
    """Another sweep of the same lake adds nothing to a report."""
    found = {"ip": demo.FIRST, "port": 104, "outcome": "accepted"}
    sweeps = [{**demo.sweep_row(1_000_000, 1), "sweep": name} for name in ("s1", "s2")]
    con = lake.connect(sweeps=sweeps, associations=[{**found, "sweep": "s2"}])
    assert [gather(con, name).totals["services"] for name in ("s1", "s2")] == [0, 1]


def test_withheld_names_are_folded_last() -> None:
    """Withheld names are one row after the others, with the sums of their counts."""
    *_, last = demo.gathered(Scope(min_cell=1)).marts["products"].rows
    assert last["implementation_version_name"] == SUPPRESSED and last["services"] == 3


def test_an_unknown_sweep_is_an_input_error() -> None:
    """A sweep that is not in the lake is refused by name."""
    with pytest.raises(InputError, match="sweep absent"):
        gather(lake.connect(), "absent")


def test_files_and_memory_tell_the_same(history_lake: Path) -> None:
    """A lake's files give the facts that its rows give: the other tests of publication have them in memory."""
    with connection.connect(history_lake) as con:
        for scope in (Scope(), Scope(country="GB")):
            assert gather(con, LAST, scope) == gathered(LAST, scope)


def test_times_are_in_utc() -> None:
    """Dates are in UTC, whatever the time zone of the connection."""
    con = demo.connect()
    con.execute("SET TimeZone = 'Asia/Tokyo'").fetchall()
    assert gather(con, lake.SWEEP).started.isoformat() == "2026-06-20T00:00:00+00:00"
