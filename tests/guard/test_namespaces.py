import subprocess

import pytest

from pipeline.errors import InputError
from pipeline.guard.namespaces import facts, inode, inside, mac, next_hop
from pipeline.testbed.closed import VANTAGE_ADDRESS, VANTAGE_MAC, WORLD_MAC, closed_pair, configure
from pipeline.testbed.closed import inside as inside_of


def test_facts_of_here() -> None:
    """The current namespace has a loopback link and its own inode."""
    here = facts()
    assert here.inode == inode()
    assert [link.kind for link in here.links if link.name == "lo"] == ["loopback"]


def test_peer_is_proven_from_both_ends() -> None:
    """Each end of a veth pair names the other end's index and namespace."""
    with closed_pair() as pair:
        vantage, world = facts(pair.vantage), facts(pair.world)
    ends = {link.name: link for link in (*vantage.links, *world.links) if link.kind == "veth"}
    assert (ends["vantage0"].peer_namespace, ends["vantage0"].peer_index) == (world.inode, ends["world0"].index)
    assert (ends["world0"].peer_namespace, ends["world0"].peer_index) == (vantage.inode, ends["vantage0"].index)
    assert (ends["vantage0"].mac, ends["world0"].mac) == (VANTAGE_MAC, WORLD_MAC)


def test_peer_is_proven_while_processes_come_and_go() -> None:
    """Processes that end during the search do not hide a namespace in which others live."""
    with closed_pair() as pair:
        command = [*inside_of(pair.vantage), "sh", "-c", "while :; do /bin/true; done"]
        churn = [subprocess.Popen(command) for _ in range(3)]
        try:
            looks = [facts(pair.world) for _ in range(150)]
        finally:
            for process in churn:
                process.kill()
                process.wait()
    ends = [link.peer_namespace for look in looks for link in look.links if link.kind == "veth"]
    assert len(ends) == 150 and None not in ends


def test_peer_in_the_same_namespace() -> None:
    """A veth pair with both ends in one namespace leads to that namespace itself."""
    with closed_pair() as pair:
        configure(pair.world, "link add a0 type veth peer name b0\n")
        world = facts(pair.world)
    assert {link.peer_namespace for link in world.links if link.name in ("a0", "b0")} == {world.inode}


def test_next_hop_without_a_packet() -> None:
    """The default route and its gateway's address are looked up in the kernel's tables, and nothing is sent."""
    with closed_pair() as pair:
        before = inside(pair.vantage, _sent)
        hop = inside(pair.vantage, next_hop)
        assert inside(pair.vantage, lambda: mac("vantage0")) == VANTAGE_MAC
        assert inside(pair.vantage, _sent) == before
    assert (hop.interface, hop.source, hop.gateway_mac) == ("vantage0", VANTAGE_ADDRESS, WORLD_MAC)


def test_no_default_route() -> None:
    """Without a default route the input is wrong, and the message names the keys to set."""
    with closed_pair() as pair, pytest.raises(InputError, match="set interface, source and gateway_mac"):
        inside(pair.world, next_hop)


def _sent() -> str:
    return subprocess.run(["ip", "-s", "link", "show", "vantage0"], check=True, capture_output=True, text=True).stdout
