"""Sweeps whose link goes away, or has no Ethernet header. No outage of our own is held against a host."""

import time
from collections import Counter
from pathlib import Path

import pytest

from pipeline.testbed.closed import VANTAGE_ADDRESS, WORLD_MAC
from tests.end_to_end.vantages import internet, place, running, sweep

WORLD_ADDRESS = "198.18.0.2"


@pytest.mark.parametrize(
    ("engine", "end"), [("ring", "vantage"), ("ring", "world"), ("xdp", "world"), ("connect", "vantage")]
)
def test_a_link_that_goes_away(engine: str, end: str, tmp_path: Path) -> None:
    """With the link down for six seconds every host is counted all the same, no probe is lost, and progress says why it waits."""
    with place(tmp_path) as at, internet(at) as true:

        def interrupt(lake: Path) -> None:
            time.sleep(1)
            getattr(at, end)(f"link set {end}0 down\n")
            time.sleep(6)
            getattr(at, end)(f"link set {end}0 up\n")
            if end == "vantage":  # as a network manager does
                at.vantage(f"neigh replace {WORLD_ADDRESS} lladdr {WORLD_MAC} dev vantage0 nud permanent\n"
                           f"route replace default via {WORLD_ADDRESS} dev vantage0\n")  # fmt: skip

        swept = sweep(at, rate=1500, meanwhile=interrupt, probe=f'engine = "{engine}"')
    assert swept.code == 0, swept.said[-3000:]
    assert swept.outcomes() == true
    what = "is down" if end == "vantage" else "has no carrier"
    assert any(reason == f"interface vantage0 {what}: waiting" for reason in swept.reasons)


@pytest.mark.parametrize("engine", ["ring", "xdp", "connect"])
def test_connections_of_before_an_outage(engine: str, tmp_path: Path) -> None:
    """A host whose kernel still has our connection of before an outage, half open or open, is found all the same.

    It would take a SYN from the same port for a stray segment of that connection (RFC 5961 §4), so another port is used.
    """
    with place(tmp_path) as at, running(at, "talker", "104", "0"):
        at.world("route add local 11.0.0.0/24 dev lo\n")

        def interrupt(lake: Path) -> None:
            time.sleep(0.5)
            at.world("link set world0 down\n")
            time.sleep(2)
            at.world(f"link set world0 up\nroute add default via {VANTAGE_ADDRESS} dev world0\n")

        swept = sweep(at, targets="11.0.0.0/24", rate=120, meanwhile=interrupt, probe=f'engine = "{engine}"')
    assert swept.code == 0, swept.said[-3000:]
    assert Counter(swept.outcomes().values()) == {"silent": 256}
    assert "interface vantage0 has no carrier: waiting" in swept.reasons


@pytest.mark.parametrize("engine", ["ring", "connect"])
def test_an_interface_that_is_gone_for_good(engine: str, tmp_path: Path) -> None:
    """If the interface is deleted meanwhile, the sweep ends with one sentence that names it and says what to do."""
    with place(tmp_path) as at, internet(at):

        def delete(lake: Path) -> None:
            at.vantage("link delete vantage0\n")

        swept = sweep(at, rate=1000, meanwhile=delete, probe=f'engine = "{engine}"')
    assert swept.code == 1
    assert swept.said.strip().splitlines()[-1] == (
        "census: interface vantage0 is gone; when it is back, run again with --resume"
    )


TUNNEL = """
link set tun0 up
address add 198.18.9.1/32 dev tun0
route replace default dev tun0 src 198.18.9.1
"""
PROHIBITED = """
table ip prohibited {
  chain input { type filter hook input priority 0; ip daddr 11.0.0.128/25 tcp dport 104 reject with icmp admin-prohibited; }
}
"""


@pytest.mark.parametrize("engine", ["ring", "xdp", "connect"])
def test_a_link_without_ethernet(engine: str, tmp_path: Path) -> None:
    """Through a tun device every host is counted; `xdp` sends through packet rings there, and says so.

    Hosts behind a filter that prohibits the port by ICMP have no row, and the receipt counts such messages.
    """
    with place(tmp_path) as at, running(at, "tunnel", str(at.pair.vantage)), running(at, "talker", "104", "300"):
        at.vantage(TUNNEL)
        at.world("link set tun1 up\nroute add 198.18.9.1/32 dev tun1\nroute add local 11.0.0.0/24 dev lo\n")
        at.world(PROHIBITED, "nft", "-f", "-")
        swept = sweep(at, targets="11.0.0.0/24", probe=f'engine = "{engine}"')
    assert swept.code == 0, swept.said[-3000:]
    assert set(swept.outcomes().values()) == {"not_dicom"}
    assert len(swept.outcomes()) == 128
    assert swept.rows("SELECT unreachable > 0, answers - duplicates FROM receipts") == [(True, 128)]
    assert ("no AF_XDP on tun0: its frames have no Ethernet header" in swept.said) is (engine == "xdp")
