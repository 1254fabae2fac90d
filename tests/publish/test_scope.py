"""The scope of a report: a country, an earlier sweep for comparison, the smallest cell."""

from pathlib import Path

import duckdb
import pytest

from pipeline.errors import InputError
from pipeline.publish import cells, funnel, report, sentences
from pipeline.publish.gather import gather
from pipeline.publish.scope import IN_ONE_COUNTRY, RESTRICTED, Scope, base, restricted
from tests.analysis import lake
from tests.publish import demo, recompute
from tests.publish.history import gathered, history, write

LAST = "20260629T030000Z-weekly"
SWEEP = {sweep.id: sweep for sweep in history()}[LAST]
BRITISH = [host for host in SWEEP.seen if host.country == "GB"]


@pytest.fixture
def con(history_con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    return history_con


def test_a_country_has_its_own_numbers() -> None:
    """The British edition counts British services only, with British denominators, in every table."""
    found = gathered(LAST, Scope(country="GB", min_cell=1))
    totals = found.totals
    assert (totals["services"], totals["addresses_probed"]) == (len(BRITISH), recompute.asked(SWEEP)["GB"])
    assert [row["targets"] for row in found.marts["funnel"].rows] == [
        row["targets"] for row in recompute.country_funnel(SWEEP) if row["country"] == "GB"
    ]
    by_country = {
        name: {row["country"] for row in mart.rows} for name, mart in found.marts.items() if "country" in mart.columns
    }
    assert by_country.pop("visibility") == set()  # the history has no visibility sample
    assert all(countries == {"GB"} for countries in by_country.values()), by_country
    assert sum(row["services"] for row in found.marts["implementations"].rows) == len(BRITISH)
    assert sum(row["services"] for row in found.marts["rejections"].rows) == sum(
        h.rejection is not None for h in BRITISH
    )
    assert sentences.headline(found) == (
        f"{sum(not recompute.decoy(host) for host in BRITISH)} DICOM services in the United Kingdom answered "
        f"({len(BRITISH)} with likely decoys)"
    )


@pytest.mark.parametrize("profile", ["associate", "tls", "capabilities", "echo"])
@pytest.mark.parametrize("country", ["GB", "FR", None])
def test_a_c_echo_that_was_not_sent_is_not_counted(profile: str, country: str | None) -> None:
    """A report of a sweep without C-ECHO says that none was requested, never 0, also for a country and without services."""
    service = {"ip": 1, "port": 104, "outcome": "accepted"}
    con = lake.connect(
        sweeps=[demo.sweep_row(1_000_000, 1) | {"profile": profile}],
        receipts=[{"probes_sent": 2_000_000}],
        responses=[service],
        associations=[service],
        locations=[{"ip": 1, "country": "GB"}],
        coverage=[{"country": "GB", "addresses": 600_000}, {"country": "FR", "addresses": 400_000}],
    )
    marts = ("totals", "funnel", "countries", "country_funnel")
    found = gather(con, lake.SWEEP, Scope(country=country, min_cell=1), marts)
    (step,) = [step for step in funnel.steps(found) if step["label"] == "answer C-ECHO"]
    assert step["count"] == ("0" if profile == "echo" else "not requested")
    assert found.totals["echoed"] == (0 if profile == "echo" else None)
    shown = [heading.text for heading in cells.table(found, "countries").headings]
    assert ("Echoed" in shown) == (profile == "echo")


def test_a_country_that_was_not_probed_has_no_edition(con: duckdb.DuckDBPyConnection) -> None:
    """A country without an address in the target space is refused, and the error lists the countries that were probed."""
    with pytest.raises(
        InputError, match=r"^--country: no address of Finland was probed; choose one of US, GB, DE, SG$"
    ):
        gather(con, LAST, Scope(country="FI"), ("countries",))


def test_a_country_edition_has_no_world_map(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """The edition of a country shows no map of the world, neither on its page nor as a file."""
    paths = report.write(con, LAST, tmp_path, {"html", "svg"}, Scope(country="GB"))
    assert not [path for path in paths if path.name.startswith("map")]
    assert 'id="map"' not in (tmp_path / "report.html").read_text("utf-8")


def test_the_second_database_keeps_its_own_count() -> None:
    """A country's edition counts all services that the second database places there, wherever the first database places them."""
    found = gathered(LAST, Scope(country="DE"))
    (expected,) = [row for row in recompute.country_databases(SWEEP) if row["country"] == "DE"]
    assert list(found.marts["country_databases"].rows) == [expected]
    assert expected["services_second"] > expected["services"] == expected["both"]
    assert any(
        said.startswith(f"A second geolocation database places {expected['services_second']} services in Germany; ")
        for said in sentences.sentences(found)
    )


def test_a_countrys_change_is_its_own() -> None:
    """A country's edition has the change that the edition of all countries has for that country, and the same p and mark."""
    (told,) = gathered(LAST, Scope(country="GB")).changes
    (expected,) = [row for row in gathered(LAST).changes if row.country == "GB"]
    assert told == expected and told.stayed == next(
        row["stayed"] for row in recompute.changed(SWEEP) if row["country"] == "GB"
    )


def test_the_views_are_whole_again(con: duckdb.DuckDBPyConnection) -> None:
    """After an edition of a country, even a failed one, every view of the connection is as before, for all countries."""

    def found() -> list[tuple[str, ...]]:
        return con.execute("SELECT view_name, sql, comment FROM duckdb_views() ORDER BY ALL").fetchall()

    before = found()
    with restricted(con, "GB"):
        assert len(set(found()) - set(before)) == len({*RESTRICTED, *IN_ONE_COUNTRY})
    with pytest.raises(InputError):
        gather(con, LAST, Scope(country="GB", since="nothing"), ("totals", "countries", "country_funnel"))
    with pytest.raises(duckdb.Error), restricted(con, "GB"):
        con.execute("SELECT error('a broken query')").fetchall()
    assert found() == before
    assert gather(con, LAST, names=("totals",)).totals["services"] == len(SWEEP.seen)


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (None, "20260622T030000Z-weekly"),
        ("20260601T030000Z-weekly", "20260601T030000Z-weekly"),
        ("2026-06-02", "20260608T030000Z-weekly"),
        ("2020-01-01", "20260601T030000Z-weekly"),
    ],
)
def test_since(con: duckdb.DuckDBPyConnection, since: str | None, expected: str) -> None:
    """A sweep is compared with the previous sweep, with the named sweep, or with the first sweep from a date on."""
    assert base(con, LAST, since) == expected


@pytest.mark.parametrize("since", ["20260601T033000Z-second", "20260706T030000Z-weekly", "2026-06-29", "\x1b[2J"])
def test_what_cannot_be_compared_is_refused(con: duckdb.DuckDBPyConnection, since: str) -> None:
    """A sweep of another vantage or method, or a date after all possible sweeps, is refused, and the possible sweeps are named."""
    with pytest.raises(InputError, match="20260622T030000Z-weekly") as caught:
        base(con, LAST, since)
    assert str(caught.value).isprintable()


def test_a_first_sweep_is_compared_with_nothing() -> None:
    """The first sweep of a series, and the first of a changed method, have no change."""
    for sweep in ("20260601T030000Z-weekly", "20260706T030000Z-weekly"):
        found = gathered(sweep)
        assert (
            found.comparison is None
            and found.changes == []
            and "did not answer this time" not in " ".join(sentences.sentences(found))
        )


def test_changes_since_a_month() -> None:
    """Sweeps four weeks apart are compared by sets: in both, only in the later, only in the earlier."""
    then, now = ({(h.ip, h.port) for h in s.seen} for s in (history()[0], SWEEP))
    told = gathered(LAST, Scope(since="20260601T030000Z-weekly"))
    first = told.changes[0]
    assert (first.stayed, first.came + first.entered, first.went + first.left_space) == (
        len(then & now),
        len(now - then),
        len(then - now),
    )
    assert "seen 4 weeks earlier" in " ".join(sentences.sentences(told))


@pytest.mark.parametrize("wrong", [{"country": "XX"}, {"country": "gb"}, {"min_cell": 0}])
def test_wrong_editions(wrong: dict[str, object]) -> None:
    """An unknown country, and a smallest cell below one, are refused."""
    with pytest.raises(InputError):
        Scope(**wrong)  # type: ignore[arg-type]


def test_the_command_line(tmp_path: Path) -> None:
    """`census report --country` and `--since` write the edition; an invalid one, or one of a country that was not probed, ends with
    exit code 2 and writes nothing.
    """
    import subprocess
    import sys

    write(tmp_path / "lake", [sweep for sweep in history() if sweep.name == "weekly" and sweep.id <= LAST][::2])
    command = [sys.executable, "-m", "pipeline", "report", str(tmp_path / "lake"), "--sweep", LAST]
    command += ["-o", str(tmp_path / "out")]
    more = ["--format", "md", "--country", "gb", "--since", "2026-06-01"]
    assert subprocess.run([*command, *more], timeout=60).returncode == 0
    assert "in the United Kingdom answered" in (tmp_path / "out" / "report.md").read_text("utf-8")
    refused = subprocess.run([*command, "--since", "2027-01-01"], capture_output=True, text=True, timeout=60)
    assert refused.returncode == 2 and "--since" in refused.stderr
    elsewhere = [*command[:-1], str(tmp_path / "elsewhere"), "--country", "fi"]
    unprobed = subprocess.run(elsewhere, capture_output=True, text=True, timeout=60)
    assert unprobed.returncode == 2 and "--country: no address of Finland was probed" in unprobed.stderr
    assert unprobed.stdout == "" and not (tmp_path / "elsewhere").exists()
