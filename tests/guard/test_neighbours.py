"""The hardware address of a next hop: the kernel asks for it when it is not known, and a watch follows its changes."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.errors import GuardError
from pipeline.guard import neighbours, routes, sockets
from pipeline.guard.neighbours import Neighbour, NeighbourWatch
from pipeline.testbed.closed import inside
from tests.testbed.networks import Network, network

VANTAGE, ROUTER = "10.1.0.5", "10.1.0.1"
FIRST, SECOND = "02:00:00:00:01:01", "02:00:00:00:01:02"


@pytest.fixture
def lan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """A vantage and a router on one link; this process sends from the vantage."""
    with network("vantage", "router") as made:
        made.link("vantage", "m0", "router", "mr")
        made.ip("vantage", f"address add {VANTAGE}/24 dev m0")
        made.ip("router", f"link set mr address {FIRST}", f"address add {ROUTER}/24 dev mr")
        made.send_from("vantage", tmp_path, monkeypatch)
        yield made


def resolve(address: str = ROUTER, patience: float = neighbours.ANSWER_SECONDS) -> str:
    return sockets.at_vantage(lambda: neighbours.resolve("m0", address, patience))


def known(address: str = ROUTER) -> Neighbour:
    def here() -> Neighbour:
        with routes.netlink() as opened:
            return neighbours.neighbour(opened, "m0", address)

    return sockets.at_vantage(here)


def eventually(holds: Callable[[], bool], seconds: float) -> float:
    """The seconds until something holds; fails if it does not in time."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, "not in time"
        time.sleep(0.01)
    return time.monotonic() - began


def test_a_cold_table_is_no_obstacle(lan: Network) -> None:
    """A next hop that the kernel has never heard of is asked for, and known at once."""
    assert known().mac == ""
    began = time.monotonic()
    assert resolve() == FIRST
    assert time.monotonic() - began < 1


def test_after_a_link_flap_it_is_asked_again(lan: Network) -> None:
    """A link that goes down and comes up empties the table; the address is known again at once."""
    assert resolve() == FIRST
    lan.ip("vantage", "link set m0 down", "link set m0 up")
    assert known().mac == ""
    began = time.monotonic()
    assert resolve() == FIRST
    assert time.monotonic() - began < 2


def test_nobody_answers(lan: Network) -> None:
    """A next hop that does not answer has no address, and that is known after some seconds."""
    began = time.monotonic()
    assert resolve("10.1.0.77") == ""
    assert 2 < time.monotonic() - began < 10


def test_an_old_address_is_confirmed(lan: Network) -> None:
    """An address that the kernel has not confirmed for long is asked for again before it is used."""
    lan.ip("vantage", f"neigh replace {ROUTER} lladdr {SECOND} dev m0 nud stale")
    assert resolve(patience=10) == FIRST


def test_a_permanent_address_is_taken_as_it_is(lan: Network) -> None:
    """What an administrator has set is not asked for."""
    lan.ip("vantage", f"neigh replace {ROUTER} lladdr {SECOND} dev m0 nud permanent")
    assert resolve() == SECOND


def test_a_permanent_address_never_ages(lan: Network) -> None:
    """It is good at every moment, though the kernel confirms it never: else a sweep that nobody answers would not end."""
    lan.ip("vantage", f"neigh replace {ROUTER} lladdr {SECOND} dev m0 nud permanent")
    with NeighbourWatch("m0", ROUTER, "", kernels=True) as watch:
        later = time.monotonic() + 0.1
        eventually(lambda: later <= watch.good_until < float("inf"), 5)


def test_a_new_address_that_is_announced(lan: Network) -> None:
    """A router that announces a new address has it used within a second, without a fault."""
    lan.within("router", lambda: Path("/proc/sys/net/ipv4/conf/mr/arp_notify").write_text("1"))
    with NeighbourWatch("m0", ROUTER, resolve()) as watch:
        time.sleep(1.1)  # the kernel takes no second address within a second (arp(7), locktime)
        lan.ip("router", f"link set mr address {SECOND}")
        assert eventually(lambda: watch.mac == SECOND, 10) < 3
        assert watch.fault == ""


def test_a_new_address_that_nobody_announces(lan: Network) -> None:
    """An address that no longer answers is looked up again, after CONFIRM_SECONDS and three questions of the kernel's."""
    with NeighbourWatch("m0", ROUTER, resolve()) as watch:
        lan.ip("router", f"link set mr address {SECOND}")
        eventually(lambda: watch.mac == SECOND, neighbours.CONFIRM_SECONDS + 15)


def test_a_next_hop_that_fails_and_comes_back(lan: Network) -> None:
    """While a next hop does not answer the watch says so, and no longer than that."""
    with NeighbourWatch("m0", ROUTER, resolve()) as watch:
        lan.ip("router", "link set mr arp off", "neigh flush all")
        lan.ip("vantage", f"neigh del {ROUTER} dev m0")
        eventually(lambda: "10.1.0.1 on m0 does not answer (ARP)" in watch.fault, 10)
        lan.ip("router", "link set mr arp on")
        eventually(lambda: watch.fault == "", 10)
        assert watch.mac == FIRST


def test_nothing_is_asked_outside_of_a_testbed(lan: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question is a packet: where only testbeds are allowed, none leaves another network."""
    lan.ip("router", "link add uplink0 type ifb")
    monkeypatch.setattr("pipeline.guard.proof.PROOF_LASTS", 0.0)
    with pytest.raises(GuardError, match="an ARP request for 10.1.0.1 on m0 is refused"):
        resolve()
    assert known().state == 0


UNPRIVILEGED = ("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", "--", sys.executable, "-c")


def test_without_privilege(lan: Network) -> None:
    """Without CAP_NET_ADMIN the kernel cannot be made to ask, and the error says so."""
    code = "from pipeline.guard import neighbours; neighbours.resolve('m0', '10.1.0.1')"
    command = [*inside(lan.holders["vantage"].pid), *UNPRIVILEGED, code]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "it needs CAP_NET_ADMIN: run as root, or set [probe] gateway_mac" in ended.stderr


#: Connect by the kernel's TCP wherever a watch lets it, and print each change of what the watch says, until the address is known.
CONNECTING = """
import socket, time
from pipeline.guard.neighbours import NeighbourWatch
said = None
with NeighbourWatch("m0", "10.1.0.1", "", kernels=True) as watch:
    while not watch.mac:
        if bool(watch.fault) is not said:
            said = bool(watch.fault)
            print("waits" if said else "goes", flush=True)
        if not said:
            socket.socket(type=socket.SOCK_STREAM | socket.SOCK_NONBLOCK).connect_ex(("10.1.0.1", 104))
        time.sleep(0.05)
"""


def test_where_the_kernel_asks_by_itself(lan: Network) -> None:
    """Without the privilege packets of the kernel's TCP are let go on trial, so that a next hop that is back is found."""
    lan.ip("router", "link set mr arp off")
    command = [*inside(lan.holders["vantage"].pid), *UNPRIVILEGED, CONNECTING]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert [process.stdout.readline() for _ in range(4)] == ["goes\n", "waits\n", "goes\n", "waits\n"]
        lan.ip("router", "link set mr arp on")
        assert process.wait(timeout=60) == 0
