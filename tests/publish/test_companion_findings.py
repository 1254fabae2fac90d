"""What a report says of companion ports."""

import pytest

from pipeline.publish import companion_findings
from pipeline.publish.companion_findings import MERGED, TOTAL


def country(code: str, probed: int, web: int = 0, hl7: int = 0) -> companion_findings.Row:
    shares = {"web_share": web / probed, "hl7_share": hl7 / probed}
    return {"country": code, "companions_probed": probed, "web": web, "hl7": hl7, "none_open": probed - web} | shares


def port(number: int, opened: int, use: str | None, kind: str) -> companion_findings.Row:
    return {"port": number, "companions_open": opened, "port_use": use, "companion": kind}


@pytest.mark.parametrize(
    ("probed", "shown"),
    [
        ((9, 8), [("c0", 9), ("c1", 8)]),
        ((9, 8, 3, 2), [("c0", 9), ("c1", 8), (MERGED, 5)]),
        ((9, 8, 2), [("c0", 9), (MERGED, 10)]),
        ((9, 6, 1, 2), [("c0", 9), (MERGED, 9)]),
        ((9, 2), [(TOTAL, 11)]),
        ((2,), [("c0", 2)]),
    ],
)
def test_few_addresses_make_no_row(probed: tuple[int, ...], shown: list[tuple[str, int]]) -> None:
    """Countries with few addresses are one row of at least two countries, so that no country follows from the total."""
    rows = [country(f"c{index}", count, web=1) for index, count in enumerate(probed)]
    merged = companion_findings.merge_few(rows, 5)
    assert [(row["country"], row["companions_probed"]) for row in merged] == shown
    assert sum(row["web"] for row in merged) == len(probed)


def test_the_world_is_the_first_row() -> None:
    """All countries together come first, with the shares of their sums; one country alone has no such row."""
    rows = [country("GB", 30, web=10), country("FR", 10, web=2, hl7=1)]
    world, *others = companion_findings.with_total(rows)
    assert others == rows and companion_findings.with_total(rows[:1]) == rows[:1]
    assert (world["country"], world["web_share"], world["hl7_share"]) == (TOTAL, 12 / 40, 1 / 40)


def test_nothing_open_is_one_statement() -> None:
    """Where no companion port answered, the sentence names the ports, and counts no zeros."""
    ports = [port(80, 0, "HTTP", "web"), port(443, 0, "HTTPS", "web"), port(2575, 0, "HL7", "hl7")]
    assert list(companion_findings.sentence([country("GB", 120)], ports)) == [
        "At none of the 120 addresses that spoke DICOM was one of the ports 80, 443, and 2575 open. A port was tried once."
    ]
    assert "was port 80 open" in next(companion_findings.sentence([country("GB", 120)], ports[:1]))
    assert not list(companion_findings.sentence([], []))


def test_open_ports_are_named_with_their_use() -> None:
    """The totals of web and HL7 come first, of the kinds that were tried; then the open ports alone."""
    ports = [port(22, 1, None, "other"), port(80, 30, "HTTP", "web"), port(443, 0, "HTTPS", "web")]
    kinds = [country("GB", 100, web=30), country("FR", 20)]
    assert list(companion_findings.sentence(kinds, ports)) == [
        "Of the 120 addresses that spoke DICOM, 30 (25.0 %) have a web port open as well: port 22 at 1 and port 80 (HTTP) at 30. "
        "A port was tried once; what listens there was not looked at."
    ]
    both = [*ports, port(2575, 0, "HL7", "hl7")]
    assert "30 (25.0 %) have a web port open as well and none have an HL7 port" in next(
        companion_findings.sentence(kinds, both)
    )
