"""Names that name a host."""

import pytest

from pipeline.publish.withhold import SEVERAL, WITHHELD, small_cells, withhold

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
    """Version names and class UIDs of known products pass."""
    assert withhold(text) == text


@pytest.mark.parametrize("text", TELLING)
def test_hosts_are_withheld(text: str) -> None:
    """A text that holds an address or a host name is replaced whole."""
    assert withhold(text) == WITHHELD


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
    """No cell of 1 to 4 is told apart, and none that a subtraction would tell: the folded ones are two or more."""
    found = small_cells(cells(*services), ["sector"], 5)
    assert sorted((row["services"] for row in found), reverse=True) == left
    assert sum(row["services"] for row in found) == sum(services)
    assert {row["sector"] for row in found if row["sector"] == SEVERAL} == (
        {SEVERAL} if len(left) < len(services) else set()
    )


def test_countries_are_folded_apart() -> None:
    """What is small in one country does not hide what is large in another."""
    found = small_cells([*cells(9, 8), *cells(1, 1, country="FR")], ["sector"], 5)
    assert [(row["country"], row["services"]) for row in found] == [("FR", 2), ("GB", 8), ("GB", 9)]
