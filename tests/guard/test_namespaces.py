import socket
import subprocess

from pipeline.guard.namespaces import facts, in_new, inode
from pipeline.testbed.closed import VANTAGE_MAC, WORLD_MAC, closed_pair, configure
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


def test_a_namespace_of_its_own() -> None:
    """Work in a new namespace sees nothing but a loopback link that is down, and this thread stays where it is."""
    before = inode()
    other, links = in_new(lambda: (inode(), socket.if_nameindex()))
    assert links == [(1, "lo")]
    assert inode() == before != other
