"""Sweeps from machines as people have them: firewalls, bridges, tunnels, links that go away. None changes what is counted."""

import array
import fcntl
import os
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pipeline.guard.link_state import SIOCETHTOOL
from pipeline.guard.namespaces import inside as inside_namespace
from pipeline.guard.proof import holder_of
from pipeline.rings.receive import LONGEST
from pipeline.testbed.closed import VANTAGE_ADDRESS, VANTAGE_MAC, WORLD_MAC, inside
from tests.end_to_end.vantages import Place, internet, place, running, sweep

WORLD_ADDRESS = "198.18.0.2"
SET_TSO, SET_GSO = 0x1F, 0x24  # linux/ethtool.h
NFT = ("nft", "-f", "-")
#: A firewall as hosts have it: nothing comes in but what belongs to a connection of this machine.
INPUT_DROP = """
table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    meta iifname "lo" accept
    ct state established,related accept
    ct state invalid drop
  }
  chain output { type filter hook output priority 0; policy accept; ct state invalid drop; }
}
"""
#: Chains as Docker makes them.
DOCKER = """
table ip nat {
  chain DOCKER { }
  chain PREROUTING { type nat hook prerouting priority -100; policy accept; fib daddr type local counter jump DOCKER; }
  chain POSTROUTING { type nat hook postrouting priority 100; policy accept; ip saddr 172.17.0.0/16 masquerade; }
}
table ip filter {
  chain DOCKER-USER { return; }
  chain FORWARD { type filter hook forward priority 0; policy drop; jump DOCKER-USER; }
}
"""
#: The interface that has the vantage's address is a bridge with the veth as its only port, or a macvlan on top of the veth.
ADDRESS = """
address flush dev vantage0
address add {ADDRESS}/29 dev {name}
link set {name} up
neigh replace {WORLD} lladdr {WORLD_MAC} dev {name} nud permanent
route replace default via {WORLD} dev {name}
"""
BRIDGE = """
link add br0 address {VANTAGE_MAC} type bridge
link set vantage0 master br0
"""
MACVLAN = """
link set vantage0 address 02:00:c6:12:00:99
link add mac0 link vantage0 address {VANTAGE_MAC} type macvlan mode bridge
"""
NAMES = {"ADDRESS": VANTAGE_ADDRESS, "WORLD": WORLD_ADDRESS, "WORLD_MAC": WORLD_MAC, "VANTAGE_MAC": VANTAGE_MAC}


def strict_paths(at: Place) -> None:
    """Packets whose way back is another are dropped (rp_filter 1)."""
    at.vantage("net.ipv4.conf.all.rp_filter = 1\nnet.ipv4.conf.vantage0.rp_filter = 1\n", "sysctl", "-q", "-p", "-")


def on(name: str, script: str, at: Place) -> None:
    """Put the vantage's address on another interface."""
    at.vantage((script + ADDRESS).format(name=name, **NAMES))


SETUPS = {
    "input-drop": lambda at: at.vantage(INPUT_DROP, *NFT),
    "docker": lambda at: at.vantage(DOCKER, *NFT),
    "strict-paths": strict_paths,
    "bridge": lambda at: on("br0", BRIDGE, at),
    "macvlan": lambda at: on("mac0", MACVLAN, at),
}


@pytest.mark.parametrize("setup", SETUPS)
def test_every_host_is_counted(setup: str, tmp_path: Path) -> None:
    """From behind a firewall, a bridge or a macvlan every host has its outcome, and nobody is invented."""
    with place(tmp_path) as at, internet(at) as true:
        SETUPS[setup](at)
        swept = sweep(at)
    assert swept.code == 0, swept.said[-3000:]
    assert swept.outcomes() == true
    assert len(true) > 300


def test_a_firewall_that_starts_again(tmp_path: Path) -> None:
    """`nft flush ruleset` in the middle of a sweep, twice, lets the kernel reset nobody."""
    with place(tmp_path) as at, internet(at) as true:
        at.vantage(INPUT_DROP, *NFT)

        def flush(lake: Path) -> None:
            for _ in range(2):
                time.sleep(1)
                subprocess.run([*inside(at.pair.vantage), "nft", "flush ruleset"], check=True)

        swept = sweep(at, rate=1500, meanwhile=flush)
    assert swept.code == 0, swept.said[-3000:]
    assert swept.outcomes() == true


@pytest.mark.parametrize("engine", ["ring", "xdp", "connect"])
@pytest.mark.parametrize("end", ["vantage", "world"])
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


#: Commands' prefixes: without what packet engines need; as an ordinary user with it, and with what the proof and root's Python need.
LACKING = ("setpriv", "--bounding-set=-net_admin,-net_raw", "--inh-caps=-net_admin,-net_raw", "--")
GIVEN = "+net_admin,+net_raw,+sys_ptrace,+sys_admin,+dac_override"
ORDINARY = (
    "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"--inh-caps={GIVEN}", f"--ambient-caps={GIVEN}", "--",
)  # fmt: skip


def test_an_ordinary_user_with_two_capabilities() -> None:
    """With CAP_NET_ADMIN and CAP_NET_RAW as ambient capabilities an ordinary user's sweep counts every host."""
    with TemporaryDirectory() as folder:  # pytest's own are root's alone
        Path(folder).chmod(0o777)
        with place(Path(folder)) as at, internet(at) as true:
            swept = sweep(at, before=ORDINARY)
        assert swept.code == 0, swept.said[-3000:]
        assert swept.outcomes() == true


def test_without_them_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    """Without them a sweep ends before the first packet, and says what is lacking and what to do."""
    with place(tmp_path) as at:
        swept = sweep(at, before=LACKING)
    assert swept.code == 1
    last = swept.said.strip().splitlines()[-1]
    assert all(word in last for word in ("CAP_NET_ADMIN", "CAP_NET_RAW", "AmbientCapabilities", "setcap"))
    assert 'engine = "connect" in [probe]' in last


TUNNEL = """
link set tun0 up
address add 198.18.9.1/32 dev tun0
route replace default dev tun0 src 198.18.9.1
"""


@pytest.mark.parametrize("engine", ["ring", "xdp", "connect"])
def test_a_link_without_ethernet(engine: str, tmp_path: Path) -> None:
    """Through a tun device every host is counted; `xdp` sends through packet rings there, and says so."""
    with place(tmp_path) as at, running(at, "tunnel", str(at.pair.vantage)), running(at, "talker", "104", "300"):
        at.vantage(TUNNEL)
        at.world("link set tun1 up\nroute add 198.18.9.1/32 dev tun1\nroute add local 11.0.0.0/25 dev lo\n")
        swept = sweep(at, targets="11.0.0.0/25", probe=f'engine = "{engine}"')
    assert swept.code == 0, swept.said[-3000:]
    assert set(swept.outcomes().values()) == {"not_dicom"}
    assert len(swept.outcomes()) == 128
    assert ("no AF_XDP on tun0: its frames have no Ethernet header" in swept.said) is (engine == "xdp")


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


def test_a_machine_that_sleeps(tmp_path: Path) -> None:
    """If everything stands still for 65 seconds the sweep ends with a sentence that says so, and a second run finishes it."""
    with place(tmp_path) as at, internet(at) as true:

        def sleep(lake: Path) -> None:
            every = members(at)
            for number in (signal.SIGSTOP, signal.SIGCONT):
                for pid in every:
                    os.kill(pid, number)
                if number is signal.SIGSTOP:
                    time.sleep(65)

        swept = sweep(at, rate=1500, meanwhile=sleep)
        assert swept.code == 1, swept.said[-3000:]
        assert "could not be renewed for 60 s; this worker stops, run again with --resume" in swept.said
        again = sweep(at, rate=1500)
    assert again.code == 0, again.said[-3000:]
    assert again.outcomes() == true


def members(at: Place) -> list[int]:
    """The processes at the vantage, without the one that keeps it."""
    found = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    mine = at.pair.manifest.holders[0].namespace
    holders = {pid: holder_of(pid) for pid in found if pid != at.pair.vantage}
    return [pid for pid, holder in holders.items() if holder and holder.namespace == mine]
