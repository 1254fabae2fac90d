"""Sweeps of hosts whose replies arrive joined, apart, or through a small MTU."""

import array
import fcntl
import socket
import struct
from pathlib import Path

import pytest

from pipeline.guard.link_state import SIOCETHTOOL
from pipeline.guard.namespaces import inside as inside_namespace
from pipeline.rings.receive import LONGEST
from pipeline.testbed.closed import VANTAGE_ADDRESS, VANTAGE_MAC, WORLD_MAC
from tests.end_to_end.vantages import Place, place, running, sweep

WORLD_ADDRESS = "198.18.0.2"
SET_TSO, SET_GSO = 0x1F, 0x24  # linux/ethtool.h
#: The interface that has the vantage's address is a bridge with the veth as its only port, or a macvlan on top of the veth.
ADDRESS = """
address flush dev vantage0
address add {ADDRESS}/29 dev {name}
link set {name} up
neigh replace {WORLD} lladdr {WORLD_MAC} dev {name} nud permanent
route replace default via {WORLD} dev {name}
"""
NAMES = {"ADDRESS": VANTAGE_ADDRESS, "WORLD": WORLD_ADDRESS, "WORLD_MAC": WORLD_MAC, "VANTAGE_MAC": VANTAGE_MAC}


def on(name: str, script: str, at: Place) -> None:
    """Put the vantage's address on another interface."""
    at.vantage((script + ADDRESS).format(name=name, **NAMES))


@pytest.mark.parametrize(
    ("talks", "mtu", "joined"),
    [
        (("2000", "reset"), 1500, True),
        (("2000", "reset"), 1500, False),
        (("1460",), 1280, True),
        (("9000",), 1280, True),
    ],
    ids=["joined", "apart", "small-mtu", "long"],
)
def test_what_a_peer_sends_in_one_go(talks: tuple[str, ...], mtu: int, joined: bool, tmp_path: Path) -> None:
    """A long reply has its outcome whatever the MTU, without a word of ICMP, and whether or not its segments arrive joined."""
    with place(tmp_path) as at, running(at, "talker", "104", *talks):
        at.vantage(f"link set vantage0 mtu {mtu}\n")
        at.world("route add local 11.0.0.0/25 dev lo\n")
        inside_namespace(at.pair.world, lambda: segment_in_hardware("world0", on=joined))
        swept = sweep(at, targets="11.0.0.0/25")
    assert swept.code == 0, swept.said[-3000:]
    assert set(swept.outcomes().values()) == {"not_dicom"}
    assert len(swept.outcomes()) == 128
    ((cut,),) = swept.rows("SELECT sum(ring_truncated) FROM receipts")
    assert (cut > 0) is (joined and int(talks[0]) > LONGEST)


def segment_in_hardware(interface: str, *, on: bool) -> None:
    """Leave the cutting of long sends into segments to an interface, which a veth passes on as they are, or to the kernel."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for command in (SET_TSO, SET_GSO):
            value = array.array("I", [command, on])  # struct ethtool_value
            fcntl.ioctl(sock, SIOCETHTOOL, struct.pack("16sP16x", interface.encode(), value.buffer_info()[0]))
