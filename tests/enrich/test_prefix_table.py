"""Announced prefixes are read as CAIDA writes them."""

import pytest

from pipeline.enrich import prefix_table
from pipeline.errors import InputError

LINES = [
    "192.0.2.0\t25\t64500",
    "192.0.2.128\t25\t64500_64501",
    "198.51.100.0\t24\t64500,64501_64502",
    "198.51.100.7\t32\t64500",
]


def read(*lines: str) -> list[tuple[int, int]]:
    return prefix_table.ranges(prefix_table.read(lines, "a.pfx2as")).pairs()


def test_prefixes_become_the_announced_addresses() -> None:
    """Prefixes with one origin, several (`_`) and a set (`,`) are announced; adjacent and nested ones are one range."""
    assert read(*LINES) == [(0xC0000200, 0xC00002FF), (0xC6336400, 0xC63364FF)]


def test_a_default_route_announces_nothing() -> None:
    """A prefix shorter than a /8 is skipped, and so are IPv6, comments and blank lines; a /8 counts."""
    assert read("0.0.0.0\t0\t64500", "64.0.0.0\t7\t64500", "2001:db8::\t32\t1", "# x", "", "10.0.0.0\t8\t1") == [
        (10 << 24, (11 << 24) - 1)
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("192.0.2.0\t24", "is not a prefix, its length and its origin"),
        ("192.0.2.1\t24\t64500", "has host bits set"),
        ("192.0.2.0\t33\t64500", "is not a prefix, its length and its origin"),
        ("192.0.2.0\t24\tAS64500", "'AS64500' is not an AS number"),
        ("1.0.0.0,1.0.0.255,AU", "is not a prefix, its length and its origin"),
    ],
)
def test_another_line_is_refused(line: str, reason: str) -> None:
    """A line that is no prefix with its origin is refused by its number."""
    with pytest.raises(InputError, match=f"a.pfx2as, line 2: .*{reason}"):
        read(LINES[0], line)


def test_a_file_without_prefixes_is_refused() -> None:
    """A table that announces nothing is refused: it would leave nothing to probe."""
    with pytest.raises(InputError, match="announces no IPv4 prefix"):
        read("# nothing")
