"""Sweeps from behind firewalls, bridges and macvlans, and with few privileges. None changes what is counted."""

import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pipeline.testbed.closed import VANTAGE_ADDRESS, VANTAGE_MAC, WORLD_MAC, inside
from tests.end_to_end.vantages import Place, internet, place, sweep

WORLD_ADDRESS = "198.18.0.2"
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


def firewalls(at: Place) -> None:
    """A firewall of the host, the chains of Docker, and packets whose way back is another dropped (rp_filter 1), all at once."""
    at.vantage(INPUT_DROP + DOCKER, *NFT)
    at.vantage("net.ipv4.conf.all.rp_filter = 1\nnet.ipv4.conf.vantage0.rp_filter = 1\n", "sysctl", "-q", "-p", "-")


def on(name: str, script: str, at: Place) -> None:
    """Put the vantage's address on another interface."""
    at.vantage((script + ADDRESS).format(name=name, **NAMES))


SETUPS = {
    "firewalls": firewalls,
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
    """Without them a sweep with `ring` ends before the first packet, and says what is lacking and what to do."""
    with place(tmp_path) as at:
        swept = sweep(at, before=LACKING, probe='engine = "ring"')
    assert swept.code == 1
    last = swept.said.strip().splitlines()[-1]
    assert all(word in last for word in ("CAP_NET_ADMIN", "CAP_NET_RAW", "AmbientCapabilities", "setcap"))
    assert 'engine = "connect" in [probe]' in last
