"""Sweeps of hosts whose replies arrive joined, apart, or through a small MTU."""

import array
import fcntl
import socket
import struct
import time
from collections import Counter
from pathlib import Path

import pytest

from pipeline.guard.link_state import SIOCETHTOOL
from pipeline.guard.namespaces import inside as inside_namespace
from pipeline.rings.receive import LONGEST
from tests.end_to_end.vantages import place, running, sweep

#: Segments that the kernel joins at least where it joins any. It joins fewer as a round trip takes longer, so on a busy machine.
LEAST_JOINED = Path("/proc/sys/net/ipv4/tcp_min_tso_segs")
SET_TSO, SET_GSO = 0x1F, 0x24  # linux/ethtool.h


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


@pytest.mark.parametrize("engine", ["ring", "xdp"])
def test_an_mtu_that_falls_in_the_middle(engine: str, tmp_path: Path) -> None:
    """Where longer packets no longer come in, SYNs announce a smaller MSS from then on, and what was under way is run again.

    So every host has its outcome, even where its kernel keeps a connection of before, which has the larger MSS.
    """
    with place(tmp_path) as at, running(at, "talker", "104", "9000"):
        at.world("route add local 11.0.0.0/24 dev lo\n")
        inside_namespace(at.pair.world, lambda: segment_in_hardware("world0", on=False))

        def fall(lake: Path) -> None:
            time.sleep(0.5)
            at.vantage("link set vantage0 mtu 1280\n")

        swept = sweep(at, targets="11.0.0.0/24", rate=80, meanwhile=fall, probe=f'engine = "{engine}"')
    assert swept.code == 0, swept.said[-3000:]
    assert Counter(swept.outcomes().values()) == {"not_dicom": 256}
    assert "packets may have 1,280 bytes, no longer 1,500: waiting" in swept.reasons


def segment_in_hardware(interface: str, *, on: bool) -> None:
    """Leave the cutting of long sends into segments to an interface, which a veth passes on as they are, or to the kernel."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for command in (SET_TSO, SET_GSO):
            value = array.array("I", [command, on])  # struct ethtool_value
            fcntl.ioctl(sock, SIOCETHTOOL, struct.pack("16sP16x", interface.encode(), value.buffer_info()[0]))
