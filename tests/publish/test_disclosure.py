"""Withheld names and counts that could identify a host."""

import pytest

from pipeline.publish.data import Facts
from pipeline.publish.disclosure import (
    MEMBER,
    MERGED,
    OTHER_NETWORKS,
    SUPPRESSED,
    hide_parts,
    merge_small,
    name_networks,
    suppress_host,
)
from pipeline.publish.disclosure_rules import RULES
from pipeline.publish.scope import Scope
from pipeline.views import views
from tests.publish import history

NAMES = [
    "OFFIS_DCMTK_367",
    "dcm4che-5.29.2",
    "1.2.276.0.7230010.3.0.3.6.7",
    "1.2.40.0.13.1.3",
    "ORTHANC 1.12.1",
    "V3.0",
    "",
]
TELLING = [
    "pacs.hospital.example",
    "at 193.62.0.9 now",
    "PACS-193.62.0.9",
    "2001:db8:0:1::5",
    "fe80::1",
    "(10.0.0.1)",
    "PACS1.LOCAL",
]


@pytest.mark.parametrize("text", NAMES)
def test_products_are_published(text: str) -> None:
    """Version names and class UIDs of known products are published."""
    assert suppress_host(text) == text


@pytest.mark.parametrize("text", TELLING)
def test_hosts_are_withheld(text: str) -> None:
    """A text with an address or a host name is replaced completely."""
    assert suppress_host(text) == SUPPRESSED


def cells(*services: int, country: str = "GB") -> list[dict[str, object]]:
    return [
        {"country": country, "sector": f"s{n}", "services": count, "share": 0.5} for n, count in enumerate(services)
    ]


@pytest.mark.parametrize(
    ("services", "left"),
    [
        ((9, 8), [9, 8]),
        ((9, 8, 1, 6), [9, 8, 7]),
        ((9, 3, 2), [9, 5]),
        ((9, 2), [11]),
        ((2, 1), [3]),
        ((3,), [3]),
        ((9, 6, 0), [9, 6, 0]),
    ],
)
def test_small_cells_are_folded(services: tuple[int, ...], left: list[int]) -> None:
    """No cell of 1 to 4 is shown, and none can be found by subtraction: two cells are merged, and one alone loses its name."""
    found = merge_small(cells(*services), ["sector"], 5)
    assert sorted((row["services"] for row in found), reverse=True) == left
    assert sum(row["services"] for row in found) == sum(services)
    assert {row["sector"] for row in found if row["sector"] == MERGED} == (
        {MERGED} if len(left) < len(services) or sum(services) < 5 else set()
    )


def test_countries_are_folded_apart() -> None:
    """Small cells of one country do not hide large cells of another."""
    found = merge_small([*cells(9, 8), *cells(1, 1, country="FR")], ["sector"], 5)
    assert [(row["country"], row["services"]) for row in found] == [("FR", 2), ("GB", 8), ("GB", 9)]


def network(asn: int | None, kind: str, services: int, size: int = 1 << 16) -> dict[str, object]:
    counts = {"services": services, "addresses": services, "accepting": 0, "services_estimated": float(services)}
    return {
        "country": "GB",
        "asn": asn,
        "organisation": f"holder {asn}",
        "network_kind": kind,
        "addresses_in_plan": size,
    } | counts


@pytest.mark.parametrize(
    ("rows", "named", "rest"),
    [
        ([network(1, "access", 9), network(2, "hosting", 8)], {"AS1": 9, "AS2": 8}, None),
        ([network(1, "access", 9), network(2, "hospital", 8)], {"AS1": 9}, 8),
        ([network(1, "access", 9), network(2, "university", 50)], {"AS1": 9}, 50),
        ([network(1, "access", 9), network(2, "unknown", 7)], {"AS1": 9}, 7),
        ([network(1, "access", 9), network(2, "access", 8, MEMBER)], {"AS1": 9}, 8),
        ([network(1, "access", 9), network(None, "access", 6)], {"AS1": 9}, 6),
        ([network(1, "access", 9), network(2, "access", 4)], {}, 13),
        ([network(1, "access", 9), network(2, "access", 7), network(3, "access", 1)], {"AS1": 9}, 8),
        ([network(1, "access", 9), network(2, "hosting", 6), network(3, "hospital", 2)], {"AS1": 9}, 8),
        (
            [network(1, "access", 9), network(2, "hosting", 6), network(3, "hosting", 2), network(4, "hospital", 50)],
            {"AS1": 9}, 58,
        ),
        ([network(1, "hospital", 2)], {}, 2),
        ([], {}, None),
    ],
)  # fmt: skip
def test_networks_that_tell_an_owner_are_not_named(
    rows: list[dict[str, object]], named: dict[str, int], rest: int | None
) -> None:
    """Only large carriers with enough services are named, and no small count follows by subtraction from kind or country."""
    found = name_networks(rows, 5)
    assert {row["asn"]: row["services"] for row in found if row["asn"]} == named
    assert [row["services"] for row in found if row["organisation"] == OTHER_NETWORKS] == (
        [] if rest is None else [rest]
    )
    assert all(row["addresses_in_plan"] is None for row in found if row["organisation"] == OTHER_NETWORKS)


@pytest.mark.parametrize(
    ("parts", "hidden"),
    [
        ((30, 8, 6, 9), ""),
        ((30, 2, 6, 9), "bc"),
        ((30, 2, 1, 9), "bcd"),
        ((30, 2, 0, 9), "bd"),
        ((30, 0, 0, 3), "da"),
        ((30, 4, 4, 9), "bc"),
        ((2, 0, 0, 9), "ad"),
        ((2, 1, 0, 1), "abcd"),
        ((9, 0, 0, 0), ""),
    ],
)
def test_small_parts_are_hidden(parts: tuple[int, ...], hidden: str) -> None:
    """A part of 1 to 4 is withheld, with as much else as hides it: first of its own group, b and c, whose sum is published."""
    row: dict[str, object] = dict(zip("abcd", parts, strict=True)) | {"services": sum(parts)}
    assert sorted(hide_parts(row, (("b", "c"), ("d",), ("a",)), 5)) == sorted(hidden)


def test_every_published_mart_has_a_rule() -> None:
    """No mart is published without a rule of disclosure."""
    assert RULES.keys() == {*views.PUBLISHED, *views.NAMED, *views.SERIES}


#: Columns that count a part of a country's services, by what they count a part of.
PARTS = {
    "services": ("accepting", "rejected", "aborted", "decoys", "anyone", "rejected_called", "rejected_calling", "rejected_otherwise",
                 "honeypot", "answers_everything", "odd", "unsuspected", "over_tls", "exposed", "suspected", "mismatched"),
    "accepting": ("echoed",),
    "handshakes": ("completed", "needs_certificate"),
    "companions_probed": ("companions_open", "companions_closed"),
    "seen_any": ("visible", "missed_alone"),
}  # fmt: skip
#: Counts of change, which say when and not what.
EXCEPTED = frozenset({"changes", "networks"})
SPLITS = (("accepting", "rejected", "aborted"), ("honeypot", "answers_everything", "odd", "unsuspected"),
          ("accepting", "rejected_called", "rejected_calling", "rejected_otherwise", "aborted"))  # fmt: skip
SWEEPS = ("20260629T030000Z-weekly", "20260720T030000Z-weekly")


@pytest.mark.parametrize("sweep", SWEEPS)
@pytest.mark.parametrize("country", [None, "GB", "SG"])
def test_no_published_mart_distinguishes_few_services(sweep: str, country: str | None) -> None:
    """Crossed with a country, no count of 1 to 4 of its services is published, as it is or by subtraction, in any mart or edition."""
    gathered = history.gathered(sweep, Scope(country=country))
    for mart in _crossed(gathered):
        for row in gathered.marts[mart].rows:
            small = 0 < (row.get("services") or 0) < 5
            for of, parts in PARTS.items():
                for part in (name for name in parts if row.get(name) is not None and row.get(of) is not None):
                    assert not 0 < row[part] < 5 and not (small and of == "services"), (mart, part, row)
            for split in (names for names in SPLITS if names[0] in row and names[1] in row):
                hidden = [name for name in split if row[name] is None]
                left = row["services"] - sum(row[name] for name in split if row[name] is not None)
                assert not hidden or (len(hidden) > 1 and (small or left >= 5)), (mart, row)


def _crossed(gathered: Facts) -> list[str]:
    """The marts whose rows are about one country each."""
    marts = [name for name in gathered.marts if name not in EXCEPTED]
    return [name for name in marts if gathered.country or "country" in gathered.marts[name].columns]


def test_a_small_country_is_a_number_and_no_more() -> None:
    """Singapore's four services are counted, and nothing else of them is published: not how they answer, or what they are."""
    gathered = history.gathered(SWEEPS[0])
    for mart in ("countries", "ae_control", "tls_share", "doubts", "system_counts"):
        (row,) = [row for row in gathered.marts[mart].rows if row["country"] == "SG"]
        assert row["services"] == 4
        known = {name for name, value in row.items() if value is not None} - {"country", "services"}
        assert known <= {"addresses", "addresses_probed", "per_million", "services_estimated", "addresses_estimated"}, (
            mart
        )
    funnel = [row["targets"] for row in gathered.marts["country_funnel"].rows if row["country"] == "SG"]
    assert funnel[3:] == [4, None, None]
