"""Withheld names and counts that could identify a host."""

import pytest

from pipeline.publish.disclosure import (
    MEMBER,
    MERGED,
    OTHER_NETWORKS,
    SUPPRESSED,
    merge_small,
    name_networks,
    suppress_host,
)

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
    """No cell of 1 to 4 is shown, and none can be found by subtraction: at least two cells are merged."""
    found = merge_small(cells(*services), ["sector"], 5)
    assert sorted((row["services"] for row in found), reverse=True) == left
    assert sum(row["services"] for row in found) == sum(services)
    assert {row["sector"] for row in found if row["sector"] == MERGED} == (
        {MERGED} if len(left) < len(services) else set()
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
