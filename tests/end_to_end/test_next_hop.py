"""The next hop changes its hardware address, or fails, in the middle of a sweep: nothing is missed, and nobody starts anew."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.guard.link_state import link_state
from pipeline.plan import plan as planning
from pipeline.sweep import freeze
from pipeline.views import connection
from tests.testbed.networks import Network, network
from tests.testbed.running import CENSUS, ROOT, environment

HOSTS = 1024
SWEEP = """
sweep = {{ name = "hop", ports = [104], seed = 1, rate = {rate}, shards = 1 }}
targets = {{ include = ["11.0.0.0/22"] }}
loss = {{ sample = 0.0 }}
control = {{ sample = 0.0 }}
probe = {{ cooldown = 1.0, engine = "{engine}" }}
"""
OTHER = "02:00:00:00:01:02"
Facts = dict[str, Any]


@pytest.fixture
def lan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """A vantage and a router, behind which every host of 11.0.0.0/22 answers."""
    with network("vantage", "world") as made:
        made.link("vantage", "m0", "world", "mr")
        made.ip("vantage", "address add 10.1.0.5/24 dev m0", "route add default via 10.1.0.1 dev m0")
        made.ip("world", "address add 10.1.0.1/24 dev mr", "route add local 11.0.0.0/22 dev lo")
        made.send_from("vantage", tmp_path, monkeypatch)
        with made.serving("world"):
            yield made


def sweep(folder: Path, disturb: Callable[[Facts], bool], engine: str = "ring") -> list[Facts]:
    """Run a sweep, and disturb it as long as that is wanted; the progress that it showed."""
    rate = 200 if engine == "connect" else 100  # of SYNs, two for a target with `connect`
    (folder / "sweep.toml").write_text(SWEEP.format(engine=engine, rate=rate))
    (folder / "plan.json").write_bytes(planning.encode(freeze.freeze(folder / "sweep.toml", folder / "lake")))
    command = [
        *CENSUS,
        "work",
        str(folder / "plan.json"),
        "--lake",
        str(folder / "lake"),
        "--json",
    ]
    shown, disturbing = [], True
    with subprocess.Popen(command, cwd=ROOT, env=environment(folder), stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout or ():
                shown.append(json.loads(line))
                disturbing = disturbing and disturb(shown[-1])
        except BaseException:
            process.kill()
            raise
    assert process.returncode == 0 and not disturbing, shown[-1]
    return shown


def responses(folder: Path) -> int:
    with connection.connect(folder / "lake") as con:
        (count,) = con.execute("SELECT count(DISTINCT (ip, port)) FROM responses").fetchone() or (0,)
    return int(count)


def test_a_new_address_in_the_middle(lan: Network, tmp_path: Path) -> None:
    """The router's address changes and is announced: the same processes send to the new one, and every host is found."""
    lan.within("world", lambda: Path("/proc/sys/net/ipv4/conf/mr/arp_notify").write_text("1"))

    def disturb(facts: Facts) -> bool:
        if facts["probed"] < 200:
            return True
        lan.ip("world", f"link set mr address {OTHER}")
        return False

    shown = sweep(tmp_path, disturb)
    assert responses(tmp_path) == HOSTS
    assert not any("ARP" in facts["held"] for facts in shown)


#: A switch and a network card that know one hardware address of the vantage no longer.
GONE = """
table netdev gone {{
  chain from {{ type filter hook ingress device "mr" priority 0; ether saddr {old} drop; }}
  chain to {{ type filter hook egress device "mr" priority 0; ether daddr {old} drop; }}
}}
"""


@pytest.mark.parametrize("engine", ["ring", "xdp", "connect"])
def test_our_own_address_changes(engine: str, lan: Network, tmp_path: Path) -> None:
    """The vantage's interface gets another hardware address: frames leave from that, and every host is found."""
    old = lan.within("vantage", lambda: link_state("m0")).mac.hex(":")

    def disturb(facts: Facts) -> bool:
        if facts["probed"] < 200:
            return True
        lan.ip("vantage", f"link set m0 address {OTHER}")
        lan.nft("world", GONE.format(old=old))
        return False

    shown = sweep(tmp_path, disturb, engine)
    assert responses(tmp_path) == HOSTS
    waited = f"m0 has the hardware address {OTHER}, no longer {old}: waiting"
    assert any(waited in facts["held"] for facts in shown) is (engine != "connect")


@pytest.mark.parametrize("engine", ["ring", "connect"])
def test_the_next_hop_fails(engine: str, lan: Network, tmp_path: Path) -> None:
    """While the router does not answer, sending pauses and says why; then it goes on by itself, to the router's new address."""
    failed_at = 0.0

    def disturb(facts: Facts) -> bool:
        nonlocal failed_at
        if facts["probed"] >= 200 and not failed_at:
            failed_at = time.monotonic()
            lan.ip("world", f"link set mr address {OTHER}", "link set mr arp off", "neigh flush all")
        if "the next hop 10.1.0.1 on m0 does not answer (ARP)" not in facts["held"]:
            return True
        lan.ip("world", "link set mr arp on")
        return False

    shown = sweep(tmp_path, disturb, engine)
    assert failed_at and responses(tmp_path) == HOSTS
    assert any("does not answer" in facts["held"] for facts in shown)
