"""The sentences of a report about change."""

from datetime import timedelta

from pipeline.publish import sentences
from pipeline.publish.change_sentences import sentences as of_change
from pipeline.publish.gather import gather
from pipeline.publish.scope import Scope
from tests.analysis import lake
from tests.publish import demo

#: The marts that sentences about change read: to read the others would take most of the time.
READ = (
    "totals",
    "countries",
    "trend",
    "country_trend",
    "country_funnel",
    "changes",
    "change_totals",
    "cohorts",
    "returns",
    "loss",
    "country_loss",
)


def test_sweeps_of_one_day_are_not_zero_days_apart() -> None:
    """Sweeps that are minutes apart are less than a day apart, and what is left of the first sweep is told of the last."""
    seen = {f"s{n}": range(demo.FIRST + 10 * n, demo.FIRST + 10 * n + 40) for n in range(1, 5)}
    sweeps = [
        demo.sweep_row(1_000_000, 40) | {"sweep": sweep, "started_at": lake.WHEN + timedelta(minutes=10 * number)}
        for number, sweep in enumerate(seen)
    ]
    con = lake.connect(
        sweeps=sweeps,
        methods=[{"sweep": sweep, "method_digest": "m"} for sweep in seen],
        space=[{"sweep": sweep, "first": 0, "last": 2**32 - 1} for sweep in seen],
        associations=[
            {"sweep": sweep, "ip": ip, "port": 104, "outcome": "accepted"} for sweep, ips in seen.items() for ip in ips
        ],
    )
    said = " ".join(sentences.sentences(gather(con, "s4")))
    assert "seen less than a day earlier" in said
    assert "Of 40 services that answered on 2026-06-20, 10 (25.0 %) still answered at the same address" in said
    assert "gone after" not in said
    assert "How much of that is packet loss is not known" in said
    assert "At least this many services are there: packet loss hides some" in said


def test_a_fall_is_said_with_how_many_countries_were_compared() -> None:
    """A country's own edition marks a fall only after the correction for all countries, and says how many there were."""
    seen = {"s1": range(40), "s2": range(25, 40)}
    con = lake.connect(
        sweeps=[
            demo.sweep_row(1_000_000, 40) | {"sweep": sweep, "started_at": lake.WHEN + timedelta(days=7 * number)}
            for number, sweep in enumerate(seen)
        ],
        methods=[{"sweep": sweep, "method_digest": "m"} for sweep in seen],
        space=[{"sweep": sweep, "first": 0, "last": 2**32 - 1} for sweep in seen],
        associations=[
            {"sweep": sweep, "ip": 256 * ip, "port": 104, "outcome": "accepted"}
            for sweep, ips in seen.items()
            for ip in ips
        ],
        locations=[
            {"sweep": sweep, "ip": 256 * ip, "country": "NL" if ip < 20 else "FR"}
            for sweep, ips in seen.items()
            for ip in ips
        ],
        coverage=[
            {"sweep": sweep, "country": country, "addresses": 1000} for sweep in seen for country in ("NL", "FR")
        ],
        second_looks=[{"sweep": sweep, "vantage": "v", "seen_twice": 990, "second_only": 10} for sweep in seen],
    )
    said = " ".join(of_change(gather(con, "s2", names=READ)))
    assert "0 came and 25 went, in 25 networks: a fall that chance rarely makes (p = " in said
    assert "was seen in the Netherlands (more services disappeared than appeared); 2 countries were compared." in said
    own = " ".join(of_change(gather(con, "s2", Scope(country="NL"), READ)))
    assert "0 came and 20 went, in 20 networks: a fall that chance rarely makes (p = " in own
    assert "corrected for all of them; one of 2 countries that were compared)" in own
    small = " ".join(of_change(gather(con, "s2", Scope(country="FR"), READ)))
    assert "0 came and 5 went, in 5 networks: too few to distinguish growth or fall from chance." in small


def test_a_network_that_changed_as_a_whole_is_said() -> None:
    """Where one network has most of a change, the sentence says how many services that is; they are no growth of the country's."""
    networks = [{"ip": 256 * n, "asn": 64500 if n < 30 else 64501 + n} for n in range(60)]
    seen = {"s1": networks[30:50], "s2": networks[:30] + networks[34:54]}
    con = lake.connect(
        sweeps=[
            demo.sweep_row(1_000_000, 40) | {"sweep": sweep, "started_at": lake.WHEN + timedelta(days=7 * number)}
            for number, sweep in enumerate(seen)
        ],
        methods=[{"sweep": sweep, "method_digest": "m"} for sweep in seen],
        space=[{"sweep": sweep, "first": 0, "last": 2**32 - 1} for sweep in seen],
        associations=[
            {"sweep": sweep, "ip": row["ip"], "port": 104, "outcome": "accepted"}
            for sweep, rows in seen.items()
            for row in rows
        ],
        locations=[row | {"sweep": sweep, "country": "NL"} for sweep, rows in seen.items() for row in rows],
    )
    facts = gather(con, "s2", names=READ)
    assert (facts.changes[0].came, facts.changes[0].went, facts.changes[0].networks_changed) == (34, 4, 9)
    said = " ".join(of_change(facts))
    assert "No change of the number could be shown" in said and "Of these 38, 30 are in one network." in said
    assert "was seen in" not in said
