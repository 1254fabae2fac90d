"""Questions to the kernel as bytes: whole answers, one error for what it refuses, and no harm by any bytes."""

import errno
import os
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.guard import rtnetlink
from pipeline.guard.rtnetlink import Netlink, NetlinkError, Row, Topic
from tests.testbed.networks import Network, network

IFLA_IFNAME = 3
#: More links than the kernel lists in one piece of 32 KiB.
LINKS = 120


@pytest.fixture(scope="module")
def crowded() -> Iterator[Network]:
    with network("vantage") as made:
        made.ip("vantage", *(f"link add many{number} type ifb" for number in range(LINKS)))
        yield made


def test_a_list_is_whole(crowded: Network) -> None:
    """All links are listed, in as many pieces as the kernel needs, and each can be asked for by its number."""

    def here() -> None:
        with rtnetlink.opened() as netlink:
            rows = netlink.rows(Topic.LINK, (0, 0, 0, 0, 0))
            assert [(row.header[2], row.text(IFLA_IFNAME)) for row in rows] == socket.if_nameindex()
            assert sum(sum(map(len, row.attributes.values())) for row in rows) > 1 << 15
            again = [netlink.get(Topic.LINK, (0, 0, row.header[2], 0, 0)).text(IFLA_IFNAME) for row in rows[::20]]
            assert again == [row.text(IFLA_IFNAME) for row in rows[::20]] and len(rows) > LINKS

    crowded.within("vantage", here)


def test_what_the_kernel_refuses() -> None:
    """A refusal is an error with the kernel's number, and the socket can be used after it."""
    with rtnetlink.opened() as netlink:
        with pytest.raises(NetlinkError) as refused:
            netlink.get(Topic.LINK, (0, 0, 1 << 30, 0, 0))
        assert refused.value.errno == errno.ENODEV and os.strerror(errno.ENODEV) in str(refused.value)
        assert netlink.get(Topic.LINK, (0, 0, 1, 0, 0)).text(IFLA_IFNAME) == "lo"


def test_it_closes() -> None:
    """After the block the socket is closed, also if the block fails."""
    with pytest.raises(ZeroDivisionError), rtnetlink.opened() as netlink:
        raise ZeroDivisionError
    with pytest.raises(OSError, match="Bad file descriptor"):
        netlink.get(Topic.LINK, (0, 0, 1, 0, 0))
    assert isinstance(netlink, Netlink)


def test_attributes_are_numbered_bytes() -> None:
    """Attributes are padded to four bytes, flags are no part of their numbers, and one that is cut off is left out."""
    made = b"".join(map(rtnetlink._attribute, {3: b"lo\0", 0x8000 | 18: b"", 5: rtnetlink.packed(7)}.items()))
    assert len(made) == 20
    row = Row((), rtnetlink.attributes(made))
    assert (row.text(3), row.number(5), row.nested(18).attributes, row.number(9)) == ("lo", 7, {}, None)
    assert [sorted(rtnetlink.attributes(made[:size])) for size in (3, 6, 7, 8, 12, 19)] == [
        [], [], [3], [3], [3, 18], [3, 18],
    ]  # fmt: skip
    assert Row((), {1: b"\x0a\1\0\5", 2: b"\2\0\0\0\1\1"}).address(1) == "10.1.0.5"
    assert Row((), {2: b"\2\0\0\0\1\1"}).mac(2) == "02:00:00:00:01:01"


@given(st.binary(max_size=200))
def test_any_bytes_are_attributes(data: bytes) -> None:
    """Any bytes give attributes that lie within them."""
    assert all(value in data for value in rtnetlink.attributes(data).values())
