"""The marts, by example: tiny tables in, expected rows out."""

import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.sections import Profile
from pipeline.enrich.rule import EVIDENCED, EvidenceGrade
from pipeline.outcome import ACCEPTS_ASSOCIATION, SPEAKS_DICOM, Outcome
from pipeline.views.views import PUBLISHED, SERIES
from tests.analysis.lake import connect, rows

UK, US = 0xC13E0001, 0x08080808
#: Profile → whether its sweeps send a C-ECHO.
ASKS_ECHO = {profile.value: profile.sends_echo for profile in Profile}
SWEEPS = [{"name": "n", "profile": "echo", "addresses": 1000, "sampled_addresses": 100}]


def target(ip: int, outcome: str, port: int = 104, **more: Any) -> dict[str, Any]:
    return {"ip": ip, "port": port, "outcome": outcome, **more}


def associations(*found: dict[str, Any]) -> dict[str, Any]:
    """The tables with the given associations, and with their locations."""
    return {"associations": found, "locations": [{"ip": UK, "country": "GB", "asn": 786, "organisation": "Jisc"}]}


def test_address_is_dotted_text() -> None:
    """`address` is the dotted text of `ip`, at both ends of the space too, and each row has its country and network."""
    found = associations(target(UK, "echoed"), target(0, "echoed"), target(2**32 - 1, "echoed"))
    assert rows(connect(**found), "SELECT address, country, asn, organisation FROM associations ORDER BY ip") == [
        ("0.0.0.0", None, None, None),
        ("193.62.0.1", "GB", 786, "Jisc"),
        ("255.255.255.255", None, None, None),
    ]


def test_a_location_counts_in_its_own_sweep_only() -> None:
    """An address that moved has its location of each sweep."""
    con = connect(
        responses=[target(UK, "silent", sweep="s1"), target(UK, "silent", sweep="s2")],
        locations=[{"ip": UK, "country": "GB", "sweep": "s1"}, {"ip": UK, "country": "IE", "sweep": "s2"}],
    )
    assert rows(con, "SELECT sweep, country FROM responses ORDER BY sweep") == [("s1", "GB"), ("s2", "IE")]


def test_a_reply_judged_again_has_its_new_outcome() -> None:
    """What `census reparse` judges again is so in every view; a service behind a second visit keeps its first response."""
    con = connect(
        responses=[target(UK, "reflected"), target(US, "tls"), target(US, "silent", 11112)],
        associations=[target(UK, "reflected"), target(US, "accepted", round=2)],
        reparsed=[target(UK, "accepted"), target(US, "aborted")],
    )
    assert rows(con, "SELECT ip, outcome FROM responses ORDER BY port, ip") == [
        (US, "tls"),
        (UK, "accepted"),
        (US, "silent"),
    ]
    assert rows(con, "SELECT ip, outcome FROM exposed_2026_11 ORDER BY ip") == [(US, "aborted"), (UK, "accepted")]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_exposed_is_what_speaks_dicom(outcome: Outcome) -> None:
    """A service is exposed exactly if its outcome is one that only a DICOM upper layer produces."""
    found = rows(connect(**associations(target(UK, outcome))), "SELECT outcome, accepts FROM exposed_2026_11")
    assert found == ([(outcome, outcome in ACCEPTS_ASSOCIATION)] if outcome in SPEAKS_DICOM else [])


def test_countries_have_their_denominators() -> None:
    """Services and addresses are counted separately, unplaced ones are a row, and denominators are scaled by the sample."""
    con = connect(
        sweeps=SWEEPS,
        coverage=[
            {"country": "GB", "addresses": 600},
            {"country": "FR", "addresses": 300},
            {"country": None, "addresses": 100},
        ],
        **associations(target(UK, "echoed"), target(UK, "rejected", 11112), target(US, "aborted")),
    )
    columns = "country, services, addresses, accepting, echoed, rejected, aborted, addresses_probed, per_million"
    assert rows(con, f"SELECT {columns} FROM countries ORDER BY country") == [
        ("FR", 0, 0, 0, 0, 0, 0, 30, 0.0),
        ("GB", 2, 1, 1, 1, 1, 0, 60, pytest.approx(1e6 / 60)),
        (None, 1, 1, 0, 0, 0, 1, 10, 1e5),
    ]


def test_intervals_are_for_samples_only() -> None:
    """A sampled sweep has an interval around its share; a complete one has none."""
    found = associations(target(UK, "echoed"))
    for visited, expected in ((100, True), (1000, False)):
        con = connect(
            sweeps=[{**SWEEPS[0], "sampled_addresses": visited}],
            coverage=[{"country": "GB", "addresses": 1000}],
            **found,
        )
        for mart in ("countries", "totals"):
            ((low, middle, high),) = rows(con, f"SELECT per_million_low, per_million, per_million_high FROM {mart}")
            assert (low < middle < high) if expected else (low is None and high is None)


def test_the_sampled_share_reaches_every_estimate() -> None:
    """If a tenth of the addresses was visited, every mart estimates ten times the count, and a country by its own share."""
    con = connect(
        sweeps=SWEEPS,
        receipts=[{"probes_sent": 100}],
        coverage=[{"country": "GB", "addresses": 600}],
        network_coverage=[{"country": "GB", "network_kind": "unknown", "addresses": 600}],
        responses=[target(UK, "rejected"), target(US, "echoed")],
        fingerprints=[{"ip": UK, "port": 104, "suspicions": ["own-class-uid"]}],
        **associations(target(UK, "rejected", rj_result=1, rj_source=1, rj_reason=7), target(US, "echoed")),
    )
    whole = {
        "totals": ("services_estimated, addresses_estimated", [(20.0, 20.0)]),
        "countries": ("services_estimated, addresses_estimated", [(10.0, 10.0), (None, None)]),
        "funnel": ("targets_estimated", [(1000.0,), (20.0,), (20.0,), (20.0,), (10.0,), (10.0,)]),
        "outcomes": ("targets_estimated", [(10.0,), (10.0,)]),
        "implementations": ("services_estimated", [(20.0,)]),
        "products": ("services_estimated", [(20.0,)]),
        "suspicions": ("services_estimated", [(10.0,)]),
        "rejections": ("services_estimated", [(10.0,)]),
        "sectors": ("services_estimated", [(10.0,), (10.0,)]),
        "network_kinds": ("services_estimated", [(10.0,), (None,)]),
        "ports": ("services_estimated", [(10.0,), (10.0,)]),
        "trend": ("services_estimated", [(20.0,)]),
    }
    estimating = {
        mart
        for mart in (*PUBLISHED, *SERIES)
        if {f"{noun}_estimated" for noun in ("services", "targets")}
        & {name for name, *_ in rows(con, f"DESCRIBE {mart}")}
    }
    assert whole.keys() == estimating
    for mart, (columns, expected) in whole.items():
        assert rows(con, f"SELECT {columns} FROM {mart} ORDER BY ALL DESC NULLS LAST") == expected, mart
    ((low, high),) = rows(con, "SELECT addresses_low, addresses_high FROM countries WHERE country = 'GB'")
    assert 0 < low < 10 < high < 600


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.27753),
        (1, 10, 0.01788, 0.40415),
        (5, 10, 0.23659, 0.76341),
        (10, 10, 0.72247, 1.0),
        (0, 0, None, None),
    ],
)
def test_wilson(k: int, n: int, low: float | None, high: float | None) -> None:
    """The interval is Wilson's, with the values of published tables, for unsigned counts too."""
    expected = tuple(value if value is None else pytest.approx(value, abs=1e-5) for value in (low, high))
    assert rows(
        connect(), f"SELECT wilson_low({k}::UBIGINT, {n}::UBIGINT), wilson_high({k}::UBIGINT, {n}::UBIGINT)"
    ) == [expected]


@pytest.mark.parametrize(("profile", "asks"), ASKS_ECHO.items())
def test_a_count_of_echoes_is_null_where_none_was_requested(profile: str, asks: bool) -> None:
    """Each mart counts echoes in a sweep that sends C-ECHO, even 0; in a sweep of another profile the count is null, not 0."""
    con = connect(
        sweeps=[{**SWEEPS[0], "profile": profile, "ports": [104]}],
        receipts=[{"probes_sent": 100}],
        coverage=[{"country": "GB", "addresses": 600}, {"country": "FR", "addresses": 400}],
        responses=[target(UK, "echoed"), target(UK + 1, "reset")],
        **associations(target(UK, "echoed")),
    )
    assert rows(con, f"SELECT asks_echo('{profile}')") == [(asks,)]
    one, none = (1, 0) if asks else (None, None)
    for mart in ("countries", "totals"):
        ((echoed,),) = rows(con, f"SELECT echoed FROM {mart} WHERE services = 1")
        assert echoed == one, mart
    assert rows(con, "SELECT echoed FROM countries WHERE country = 'FR'") == [(none,)]
    assert rows(con, "SELECT targets FROM funnel WHERE step = 'echoes'") == [(one,)]
    by_country = rows(con, "SELECT country, targets FROM country_funnel WHERE step = 'echoes' ORDER BY country")
    assert by_country == [("FR", none), ("GB", one)]


def test_funnel_narrows() -> None:
    """Each step counts the targets that passed it."""
    outcomes = ["echoed", "accepted", "rejected", "malformed", "silent", "reset", "unacknowledged"]
    con = connect(
        sweeps=SWEEPS,
        receipts=[{"probes_sent": 60}, {"probes_sent": 40}],
        responses=[target(UK + n, outcome) for n, outcome in enumerate(outcomes)],
    )
    found = rows(con, "SELECT targets FROM funnel ORDER BY position")
    assert [targets for (targets,) in found] == [100, 7, 5, 3, 2, 1]


def test_a_service_that_only_tls_reached_is_in_both_funnels() -> None:
    """A target that reset the plain request and accepted an association in TLS counts as accepting, in its country too."""
    con = connect(
        sweeps=[{**SWEEPS[0], "profile": "tls", "ports": [104]}],
        receipts=[{"probes_sent": 100}],
        coverage=[{"country": "GB", "addresses": 1000}],
        responses=[target(UK, "reset")],
        **associations(target(UK, "accepted", round=2)),
    )
    for mart in ("funnel", "country_funnel"):
        assert [n for (n,) in rows(con, f"SELECT targets FROM {mart} ORDER BY position")] == [100, 1, 1, 1, 1, None], (
            mart
        )


def test_outcomes_share_the_answers() -> None:
    """Outcomes are counted with their share of all targets that answered."""
    con = connect(
        responses=[target(UK + n, outcome) for n, outcome in enumerate(["silent", "silent", "tls", "closed"])]
    )
    assert rows(con, "SELECT outcome, targets, share FROM outcomes ORDER BY outcome") == [
        ("closed", 1, 0.25),
        ("silent", 2, 0.5),
        ("tls", 1, 0.25),
    ]


def test_products_are_what_services_declare() -> None:
    """Services are grouped by their declaration; services without a declaration are a row."""
    said = {"implementation_class_uid": "1.2.3", "implementation_version_name": "PACS_1"}
    con = connect(
        **associations(target(UK, "echoed", **said), target(US, "accepted", **said), target(US, "rejected", 11112))
    )
    columns = "implementation_class_uid, implementation_version_name, services, addresses, countries, accepting"
    found = rows(con, f"SELECT {columns} FROM products ORDER BY services DESC")
    assert found == [("1.2.3", "PACS_1", 2, 2, 1, 2), (None, None, 1, 1, 0, 0)]


DCMTK = {"identity_rule": "dcmtk", "toolkit": "DCMTK", "toolkit_version": "3.6.7", "kind": "toolkit", "grade": "L"}
DCMTK |= {"identity_tried": 8, "identity_wrong": 0}
UNKNOWN = {"class_uid_root": "1.2.840.99", "class_uid_hash": "0badcafe"}


def judged(ip: int, port: int = 104, **more: Any) -> dict[str, Any]:
    return {"ip": ip, "port": port, **more}


def test_products_say_what_rules_make_of_them() -> None:
    """Each declaration has its toolkit and product, the grade of the evidence, and the number of doubtful services."""
    said = {"implementation_class_uid": "1.2.276.0.7230010.3.0.3.6.7", "implementation_version_name": "OFFIS_DCMTK_367"}
    con = connect(
        **associations(target(UK, "echoed", **said), target(US, "accepted", **said)),
        fingerprints=[judged(UK, **DCMTK), judged(US, **DCMTK, mismatch=["dcmtk-explicit"], suspicions=["bare"])],
    )
    columns = "implementation_version_name, toolkit, toolkit_version, product, grade, evidenced, tried, wrong"
    counted = "services, mismatched, suspected"
    assert rows(con, f"SELECT {columns}, {counted} FROM products") == [
        ("OFFIS_DCMTK_367", "DCMTK", "3.6.7", None, "L", True, 8, 0, 2, 1, 1)
    ]


def test_our_own_identity_is_nobodys() -> None:
    """What a peer returns of our own identity is not printed; neither is it where an older ruleset only suspected it."""
    ours = {"implementation_class_uid": "2.25.1", "implementation_version_name": "DICOM_CENSUS_01"}
    reflected = {"class_uid_reflected": True, "version_name_reflected": True}
    con = connect(
        **associations(target(UK, "echoed", **ours), target(US, "echoed", **ours), target(US, "echoed", 11112, **ours)),
        fingerprints=[
            judged(UK, toolkit="pynetdicom2", **reflected),
            judged(US, suspicions=["own-class-uid", "own-version-name"], **UNKNOWN),
            judged(US, 11112, class_uid_reflected=True),
        ],
    )
    columns = "implementation_class_uid, implementation_version_name, toolkit"
    found = rows(con, f"SELECT {columns} FROM products ORDER BY ALL")
    assert found == [(None, "DICOM_CENSUS_01", None), (None, None, "pynetdicom2"), (None, None, None)]
    assert rows(con, "SELECT DISTINCT class_uid_root, class_uid_hash FROM implementations") == [(None, None)]


def test_implementations_hide_unknown_identities() -> None:
    """Known implementations are counted without root and hash, unknown ones by root and hash, none by a peer's string."""
    con = connect(
        **associations(target(UK, "echoed"), target(US, "accepted"), target(US, "rejected", 11112)),
        fingerprints=[judged(UK, **DCMTK, **UNKNOWN), judged(US, **UNKNOWN), judged(US, 11112)],
    )
    columns = "toolkit, toolkit_version, grade, evidenced, class_uid_root, class_uid_hash, services"
    assert rows(con, f"SELECT {columns} FROM implementations ORDER BY toolkit, class_uid_root") == [
        ("DCMTK", "3.6.7", "L", True, None, None, 1),
        (None, None, None, False, "1.2.840.99", "0badcafe", 1),
        (None, None, None, False, None, None, 1),
    ]
    described = {name for name, *_ in rows(con, "DESCRIBE implementations")}
    assert not described & {"implementation_class_uid", "implementation_version_name"}


@pytest.mark.parametrize(("grade", "evidenced"), [(g, g in EVIDENCED) for g in EvidenceGrade])
def test_weak_evidence_says_so(grade: EvidenceGrade, evidenced: bool) -> None:
    """Every count has its grade, and weak grades are marked."""
    con = connect(**associations(target(UK, "echoed")), fingerprints=[judged(UK, **DCMTK | {"grade": str(grade)})])
    for mart in ("products", "implementations"):
        assert rows(con, f"SELECT grade, evidenced FROM {mart}") == [(str(grade), evidenced)]


def test_suspicions_are_counted_where_they_are() -> None:
    """Each suspicion is counted for each country; suspected services stay in the other marts."""
    con = connect(
        **associations(target(UK, "echoed"), target(UK, "reflected", 11112), target(US, "echoed")),
        fingerprints=[
            judged(UK, suspicions=["dicompot", "bare"], suspicions_tried=[20, 30], suspicions_wrong=[0, 4]),
            judged(UK, 11112, suspicions=["bare"]),
            judged(US, suspicions=["bare"]),
        ],
    )
    columns = "suspicion, country, services, addresses, exposed, tried, wrong"
    assert rows(con, f"SELECT {columns} FROM suspicions ORDER BY suspicion, country") == [
        ("bare", "GB", 2, 1, 1, 30, 4),
        ("bare", None, 1, 1, 1, None, None),
        ("dicompot", "GB", 1, 1, 1, 20, 0),
    ]
    assert rows(con, "SELECT count(*) FROM exposed_2026_11") == [(2,)]


@pytest.mark.parametrize(("profile", "share"), [("associate", None), ("tls", 0.0)])
def test_encryption_is_unknown_where_tls_was_not_attempted(profile: str, share: float | None) -> None:
    """A sweep that attempts TLS with nobody has no share of TLS; one that looks for it has, even if it finds none."""
    con = connect(sweeps=[SWEEPS[0] | {"profile": profile}], **associations(target(UK, "echoed")))
    assert rows(con, "SELECT services, over_tls, share FROM tls_share") == [(1, 0, share)]


def test_rejections_have_their_meaning() -> None:
    """Reasons are explained by their source (PS3.8 Table 9-21); a reason missing from the table has no explanation."""
    reason = {"rj_result": 1, "rj_source": 1, "rj_reason": 7}
    con = connect(
        **associations(target(UK, "rejected", **reason), target(US, "rejected", **{**reason, "rj_reason": 99}))
    )
    found = rows(con, "SELECT rj_reason, meaning, services FROM rejections ORDER BY rj_reason")
    assert found == [(7, "called AE title not recognized", 1), (99, None, 1)]


def test_no_join_by_between() -> None:
    """No query joins addresses by BETWEEN, which takes minutes in some versions of DuckDB."""
    folder = Path(__file__).parent.parent.parent / "analysis"
    queries = {path: re.sub(r"--.*", "", path.read_text("utf-8")) for path in folder.rglob("*.sql")}
    assert queries and not [path for path, query in queries.items() if re.search(r"\bbetween\b", query, re.IGNORECASE)]
