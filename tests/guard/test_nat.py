"""Which addresses only a NAT carries to the Internet, and what its table must hold."""

import pytest

from pipeline.guard import nat


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("10.0.0.5", True), ("172.31.255.1", True), ("172.32.0.1", False), ("192.168.0.1", True), ("100.64.0.1", True),
        ("100.128.0.1", False), ("169.254.1.1", True), ("198.18.0.1", False), ("9.9.9.9", False),
    ],
)  # fmt: skip
def test_private_addresses(address: str, private: bool) -> None:
    """Private, shared and link-local addresses need a NAT; others, those of testbeds included, do not."""
    assert nat.is_private(address) is private


def test_entries() -> None:
    """A table needs an entry for each SYN of the last two minutes, but no more than there are; at the highest rate it just fits."""
    assert nat.entries(10_000, 10**9) == 1_200_000
    assert nat.entries(10_000, 5_000) == 5_000
    assert nat.entries(nat.highest_rate(262_144), 10**9) <= 262_144 < nat.entries(nat.highest_rate(262_144) + 1, 10**9)


def test_the_capacity_of_this_machine() -> None:
    """It is a number where the kernel tracks connections, and unknown elsewhere."""
    assert nat.capacity() is None or nat.capacity() > 0
