"""Every estimate, interval and p of a report is what its mart or macro gives, by SQL alone."""

from collections.abc import Iterable
from typing import Any

import duckdb
import numpy as np
import pytest

from pipeline.publish import harm_sentences, sheets
from pipeline.publish.data import Facts
from pipeline.publish.estimates import Estimate
from pipeline.publish.gather import gather
from pipeline.publish.scope import Scope
from tests.analysis import lake
from tests.publish import demo

EARLIER, NOW = "20260608T030000Z-weekly", "20260615T030000Z-weekly"
#: The marts that the numbers come from: to read the others would take most of the time.
READ = ("totals", "countries", "trend", "loss", "country_loss", "vantages", "recaptures", "software_ages")
CHANGED = "FROM change_estimates($before, $sweep)"
REACHABLE = "FROM reachable WHERE sweep = $sweep"
#: Services of the made lake in each of its two countries, and other hosts that take requests.
SERVICES, HOSTS = 30, 100


def selected(con: duckdb.DuckDBPyConnection, sql: str, **parameters: str) -> dict[Any, dict[str, Any]]:
    """The rows of a query by country, that of all countries as "all"."""
    cursor = con.execute(sql, parameters)
    names = [column[0] for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {"all" if row.pop("of_all") else row["country"]: row | {"country": row["country"] or None} for row in rows}


def compare(shown: Iterable[dict[str, Any]], selection: dict[Any, dict[str, Any]]) -> None:
    """Each number of the report is that of SQL."""
    for row in shown:
        own = selection[row["country"]]
        for column in row.keys() & own.keys() - {"country"}:
            value = row[column]
            same = pytest.approx(value, rel=1e-6, abs=1e-9) if isinstance(value, int | float) else value
            assert own[column] == same, (row["country"], column)


def whole(facts: Facts) -> dict[str, Any]:
    """The total of a report as a row."""
    estimate: Estimate = facts.reachable
    return {"country": "all", "there": estimate.value, "there_low": estimate.low, "there_high": estimate.high}


def compare_report(con: duckdb.DuckDBPyConnection, facts: Facts, before: str) -> None:
    """The totals and changes of a report are those of SQL."""
    tables = {sheet.name: sheet.rows for sheet in sheets.sheets(facts)}
    compare([*tables["countries"], whole(facts)], selected(con, REACHABLE, sweep=facts.sweep))
    assert facts.comparison is not None and facts.comparison.sweep == before
    assert len(tables["changed"]) > 2 and len(tables["countries"]) > 1
    compare(tables["changed"], selected(con, CHANGED, before=before, sweep=facts.sweep))


@pytest.fixture(scope="module")
def facts(history_con: duckdb.DuckDBPyConnection) -> Facts:
    return gather(history_con, NOW, Scope(min_cell=1), READ)


def test_a_report_is_recomputed_by_sql(history_con: duckdb.DuckDBPyConnection, facts: Facts) -> None:
    """Totals, ranks, changes, their intervals and p of a report of the history are those of `reachable` and `change_estimates`."""
    compare_report(history_con, facts, EARLIER)
    assert facts.smallest_shown == history_con.execute("FROM smallest_shown(?, ?, NULL)", [EARLIER, NOW]).fetchone()[0]  # type: ignore[index]


def test_survival_and_vantages_by_sql(history_con: duckdb.DuckDBPyConnection, facts: Facts) -> None:
    """The steps of survival and Chapman's intervals of a report are those of SQL."""
    tables = {sheet.name: sheet.rows for sheet in sheets.sheets(facts)}
    steps = history_con.execute("SELECT sweep, days, stays, stays_low, stays_high FROM survival").fetchall()
    by_sweep = {row[0]: row[1:] for row in steps}
    assert tables["survival"]
    for row in tables["survival"]:
        assert by_sweep[row["sweep"]] == pytest.approx([row[c] for c in ("days", "stays", "stays_low", "stays_high")])
    ends = "chapman_low(seen_here, seen_there, seen_by_both), chapman_high(seen_here, seen_there, seen_by_both)"
    pairs = history_con.execute(f"SELECT sweep, other, port, there, {ends} FROM vantages").fetchall()
    by_pair = {row[:3]: row[3:] for row in pairs}
    assert tables["vantages"]
    for row in tables["vantages"]:
        key = row["sweep"], row["other"], row["port"]
        assert by_pair[key] == pytest.approx([row[c] for c in ("there", "there_low", "there_high")])


def test_ages_by_sql(history_con: duckdb.DuckDBPyConnection, facts: Facts) -> None:
    """The median age and the share of old versions, with its interval, are those of `software_ages` and of `wilson_low`."""
    (shown,) = [sheet.rows for sheet in sheets.sheets(facts) if sheet.name == "software_ages"]
    rows = history_con.execute(
        "SELECT of_all, country, median_age, older_share, wilson_low(older, dated), wilson_high(older, dated) "
        "FROM software_ages WHERE sweep = ?", [NOW],
    ).fetchall()  # fmt: skip
    by_country = {"all" if of_all else country: numbers for of_all, country, *numbers in rows}
    assert len(shown) == len(by_country) > 2
    for row in shown:
        ends = [row[c] for c in ("median_age", "older_share", "older_share_low", "older_share_high")]
        assert by_country["all" if row["of_all"] else row["country"]] == pytest.approx(ends)


@pytest.mark.parametrize("looked", [True, False], ids=["looks at services", "no look"])
def test_loss_by_country_and_no_loss_at_all_by_sql(looked: bool) -> None:
    """SQL gives the report's numbers also where second SYNs looked at services of each country, and where nothing measured loss."""
    con = lake.build(made(looked))
    facts = gather(con, "s2", Scope(min_cell=1), READ)
    compare_report(con, facts, "s1")
    compare_smallest(con, facts, "s1")


def compare_smallest(con: duckdb.DuckDBPyConnection, facts: Facts, before: str) -> None:
    """The smallest change that a report could show, of all countries together and of each, is that of SQL."""
    assert facts.comparison is not None
    for change in facts.changes:
        country = None if change.country == "all" else change.country
        found = con.execute("FROM smallest_shown(?, ?, ?)", [before, facts.sweep, country]).fetchall()
        assert found == [(facts.comparison.smallest_shown(change),)], change.country


def test_harm_by_sql() -> None:
    """What a report says of harm, over the sweeps of a series and without hosts that block us, is that of `harm_effects`."""
    draw = np.random.default_rng(3)
    con = lake.connect(
        sweeps=[
            demo.sweep_row(1_000_000, 900) | {"sweep": sweep, "started_at": lake.WHEN.replace(day=day)}
            for sweep, day in (("s1", 1), ("s2", 8))
        ],
        methods=[{"sweep": sweep, "method_digest": "m"} for sweep in ("s1", "s2")],
        harm=[
            {"sweep": sweep, "ip": number, "port": 104, "arm": arm, "attempt": 1, "alive_elsewhere": bool(number % 3)}
            | {"alive_before": bool(draw.random() > 0.02), "alive_after": bool(draw.random() > 0.06)}
            for sweep in ("s1", "s2") for number, arm in enumerate(["visited", "unvisited"] * 100)
        ],
    )  # fmt: skip
    for sweep, looks in (("s1", 1), ("s2", 2)):
        rows = gather(con, sweep, Scope(), ("harm_arms",)).marts["harm_arms"].rows
        arms = [[row for row in rows if row["arm"] == arm] for arm in ("visited", "unvisited")]
        every, rest = (harm_sentences.effect_of(*arms, blocking=blocking) for blocking in (True, False))
        ends = [float(end) for each in (every, rest) for end in (each.value, each.low, each.high)]
        columns = "sweeps_checked, effect, effect_low, effect_high, rest, rest_low, rest_high"
        ((checked, *found),) = con.execute(f"SELECT {columns} FROM harm_effects WHERE sweep = ?", [sweep]).fetchall()
        assert checked == looks and found == pytest.approx(ends, abs=1e-9)


def made(looked: bool) -> duckdb.DuckDBPyConnection:
    """Two sweeps of two countries, in which some of each are lost; every host has a second SYN if it is looked for."""
    draw = np.random.default_rng(7)
    tables: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("responses", "associations", "locations", "second_syns")
    }
    for sweep in ("s1", "s2"):
        for number in range(2 * (SERVICES + HOSTS)):
            first, second = (draw.random(2) > (0.05, 0.15)[number % 2]).tolist()
            if not (first or (second and looked)):
                continue
            target = {"sweep": sweep, "ip": number * 1024, "port": 104}
            service = number < 2 * SERVICES
            tables["responses"].append(target | {"outcome": "accepted" if service else "not_dicom"})
            tables["associations"] += [target | {"outcome": "accepted"}] if service else []
            place = {
                "country": ("DE", "NL")[number % 2],
                "asn": number % 17,
                "country_source": demo.SOURCE.format("2026-06-01"),
            }
            tables["locations"].append({"sweep": sweep, "ip": number * 1024} | place)
            tables["second_syns"] += [target | {"answered_first": first, "answered_second": second}] if looked else []
    sent = {"round": 1, "second_visits": 1 if looked else None, "second_probes": 100, "probes_sent": 1000}
    return lake.connect(
        sweeps=[
            demo.sweep_row(1_000_000, 900) | {"sweep": sweep, "started_at": lake.WHEN.replace(day=day)}
            for sweep, day in (("s1", 1), ("s2", 8))
        ],
        methods=[{"sweep": sweep, "method_digest": "m"} for sweep in ("s1", "s2")],
        space=[{"sweep": sweep, "first": 0, "last": 2**32 - 1} for sweep in ("s1", "s2")],
        coverage=[
            {
                "sweep": sweep,
                "country": country,
                "addresses": 500_000,
                "country_source": demo.SOURCE.format("2026-06-01"),
            }
            for sweep in ("s1", "s2")
            for country in ("DE", "NL")
        ],
        receipts=[sent | {"sweep": sweep} for sweep in ("s1", "s2")],
        **tables,
    )
