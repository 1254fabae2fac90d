import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pipeline.config.sections import IdentitySection
from pipeline.errors import CensusError, GuardError
from pipeline.guard import proof, sockets
from pipeline.guard.namespaces import Interface, Namespace, facts, inode, inside
from pipeline.testbed.closed import NamespacePair, closed_pair, configure, prove

#: A link that leads somewhere else.
UPLINK = "link add uplink0 type vxlan id 5 remote 10.0.0.2 dstport 4789\n"
#: Holds a tun device until it is killed.
FULL = IdentitySection(contact="a@example.org", url="https://example.org", authorised_by="The board")


@pytest.fixture
def pair() -> Iterator[NamespacePair]:
    with closed_pair() as made:
        yield made


@pytest.fixture
def only_testbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(sockets.ONLY_TESTBED, "1")
    monkeypatch.delenv(proof.TESTBED, raising=False)


def reasons(pair: NamespacePair, *more: Namespace) -> str:
    found = [facts(pair.vantage), facts(pair.world), *more]
    return "; ".join(proof.leaks(found, pair.manifest, proof.present(pair.manifest)))


def test_closed_pair(pair: NamespacePair) -> None:
    """A fresh pair is proved closed."""
    assert reasons(pair) == ""
    prove(pair)


def test_uplink_is_refused(pair: NamespacePair) -> None:
    """A link that is neither loopback nor veth opens the testbed, even while it is down."""
    configure(pair.world, UPLINK)
    assert "uplink0 (index 3)" in reasons(pair) and "is not a veth but vxlan" in reasons(pair)
    with pytest.raises(CensusError, match="not closed"):
        prove(pair)


@pytest.mark.parametrize(
    "added",
    [
        "link add br0 type bridge\nlink set world0 master br0\n",
        "link add upper0 link world0 type macvlan mode bridge\n",
        "tuntap add dev tun0 mode tun\n",
    ],
    ids=["bridge", "macvlan", "tun"],
)
def test_links_that_lead_nowhere_else(pair: NamespacePair, added: str) -> None:
    """A bridge of the pair's own ends, a link on top of one, and a tun device that nobody reads leave the testbed closed."""
    configure(pair.world, added)
    assert reasons(pair) == ""


def test_a_link_on_top_of_one_elsewhere_is_refused(pair: NamespacePair) -> None:
    """A macvlan whose lower link is in a namespace outside of the testbed opens it, and so does one in no known namespace."""
    with closed_pair() as other:
        configure(other.world, f"link add upper0 link world0 netns {pair.world} type macvlan mode bridge\n")
        assert "is on top of a link elsewhere" in reasons(pair)


def test_second_veth_to_a_foreign_namespace_is_refused(pair: NamespacePair) -> None:
    """A veth whose other end is in a namespace outside of the testbed opens the testbed."""
    with closed_pair() as other:
        configure(pair.world, f"link add way0 type veth peer name out0 netns {other.world}\n")
        assert "way0 (index 3)" in reasons(pair)
        assert "not listed" in reasons(pair)


def test_listed_end_whose_other_end_is_not_listed() -> None:
    """A listed end still opens the testbed if its other end is not listed."""
    manifest = proof.Manifest("b", (proof.Holder(1, 2, 10),), (proof.End(10, "v", 2),))
    namespace = Namespace(10, (Interface("v", "veth", 2, 7, 99, "", True),), False)
    (reason,) = proof.leaks([namespace], manifest, proof.Present("b", frozenset(manifest.holders)))
    assert "leads to link 7 of namespace 99, which is not listed" in reason


def test_foreign_namespace_is_refused(pair: NamespacePair) -> None:
    """A namespace that the manifest does not list is not part of the testbed."""
    assert f"namespace {facts().inode} is not part of the testbed" in reasons(pair, facts())


@pytest.mark.parametrize("switch", ["all", "world0"])
def test_forwarding_is_refused(pair: NamespacePair, switch: str) -> None:
    """A namespace that forwards, even on one interface only, is not closed."""
    path = Path(f"/proc/sys/net/ipv4/conf/{switch}/forwarding")
    inside(pair.world, lambda: path.write_text("1"))
    assert "forwards packets" in reasons(pair)


def test_manifest_of_another_run_is_refused(pair: NamespacePair) -> None:
    """A holder with another start time, a dead holder, or another boot makes the manifest worthless."""
    vantage, world = pair.manifest.holders
    for holder in (msgspec.structs.replace(vantage, start_time=1), msgspec.structs.replace(vantage, pid=2**22)):
        other = msgspec.structs.replace(pair.manifest, holders=(holder, world))
        assert any("another run" in reason for reason in proof.leaks([], other, proof.present(other)))
    rebooted = msgspec.structs.replace(pair.manifest, boot_id="another")
    assert any("machine was started" in reason for reason in proof.leaks([], rebooted, proof.present(rebooted)))


def test_inside_is_allowed_until_a_link_is_added(
    pair: NamespacePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inside a closed pair sockets are made; once an uplink appears, sockets are refused within a second."""
    manifest = tmp_path / "manifest.json"
    manifest.write_bytes(msgspec.json.encode(pair.manifest))
    monkeypatch.setenv(sockets.ONLY_TESTBED, "1")
    monkeypatch.setenv(proof.TESTBED, str(manifest))
    assert not sockets.in_closed_testbed()
    assert inside(pair.vantage, sockets.in_closed_testbed)
    inside(pair.vantage, lambda: sockets.require_authorised(IdentitySection()))
    inside(pair.vantage, lambda: sockets.tcp_socket("8.8.8.8").close())
    inside(pair.vantage, lambda: sockets.packet_socket("vantage0", 0).close())
    configure(pair.world, UPLINK)
    monkeypatch.setattr(proof, "PROOF_LASTS", 0.0)
    with pytest.raises(GuardError, match="uplink0"):
        inside(pair.vantage, lambda: sockets.tcp_socket("8.8.8.8"))


@pytest.mark.usefixtures("only_testbed")
def test_refused_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of a testbed no socket is made and no interface is looked up, whatever the identity says."""
    monkeypatch.setattr(socket, "socket", lambda *_: pytest.fail("a socket was made"))
    for destination in ("8.8.8.8", "localhost", "127.evil.example", "::1"):
        with pytest.raises(GuardError, match=sockets.ONLY_TESTBED):
            sockets.tcp_socket(destination)
    with pytest.raises(GuardError):
        sockets.packet_socket("doesnotexist", 0)
    with pytest.raises(GuardError):
        sockets.require_authorised(FULL)


@pytest.mark.usefixtures("only_testbed")
def test_loopback_is_always_allowed() -> None:
    """Loopback is open to TCP and packet sockets under the guard."""
    with sockets.tcp_socket("127.0.0.2") as tcp, sockets.packet_socket("lo", 0):
        assert tcp.getblocking() is False


def test_a_link_that_is_named_lo(pair: NamespacePair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that leads out and was renamed `lo` is no loopback: sockets on it are refused like those on any link."""
    monkeypatch.setenv(sockets.ONLY_TESTBED, "1")
    configure(pair.world, "link set lo down\nlink set lo name aside\nlink set world0 down\nlink set world0 name lo\n")
    for make in (lambda link: sockets.packet_socket(link, 0), sockets.xdp_socket, sockets.device_map):
        with pytest.raises(GuardError, match=r"(socket on|frames to) lo is refused"):
            inside(pair.world, lambda make=make: make("lo").close())


@pytest.mark.parametrize(
    ("identity", "missing"),
    [
        (IdentitySection(), "ae_title, contact, url, authorised_by"),
        (IdentitySection(ae_title="OURS", contact="c"), "url, authorised_by"),
        (IdentitySection(contact="c", url="u"), "ae_title, authorised_by"),
    ],
)
def test_missing_identity_is_named(identity: IdentitySection, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of a testbed the refusal names exactly the missing keys of the identity; a complete identity is accepted."""
    monkeypatch.delenv(sockets.ONLY_TESTBED, raising=False)
    with pytest.raises(GuardError, match=f"lacks {missing}:"):
        sockets.require_authorised(identity)
    sockets.require_authorised(FULL)


def test_unknown_interface_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the guard, an interface that does not exist is named in the error."""
    monkeypatch.delenv(sockets.ONLY_TESTBED, raising=False)
    with pytest.raises(CensusError, match="doesnotexist"):
        sockets.packet_socket("doesnotexist", 0)


def test_probes_stand_in_the_vantage_and_nothing_else(
    pair: NamespacePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a vantage named, sockets are made there while the process stays outside; with a leak, no socket is made."""
    manifest = tmp_path / "manifest.json"
    manifest.write_bytes(msgspec.json.encode(pair.manifest))
    monkeypatch.setenv(sockets.ONLY_TESTBED, "1")
    monkeypatch.setenv(proof.TESTBED, str(manifest))
    monkeypatch.setattr(proof, "PROOF_LASTS", 0.0)
    outside = inode()
    with pytest.raises(GuardError):
        sockets.tcp_socket("8.8.8.8")
    for place in (str(pair.vantage), f"/proc/{pair.vantage}/ns/net"):
        monkeypatch.setenv(sockets.VANTAGE, place)
        assert sockets.in_closed_testbed()
        assert sockets.at_vantage(inode) == pair.manifest.holders[0].namespace != outside == inode()
        sockets.packet_socket("vantage0", 0).close()
        with sockets.tcp_socket("8.8.8.8") as made, pytest.raises(BlockingIOError):
            made.connect(("8.8.8.8", 104))
        with pytest.raises(GuardError):
            sockets.require_reach("8.8.8.8", "a question")
    configure(pair.world, UPLINK)
    with pytest.raises(GuardError, match="uplink0"):
        sockets.packet_socket("vantage0", 0)
    monkeypatch.setenv(sockets.VANTAGE, "/run/netns/nowhere")
    with pytest.raises(CensusError, match="is not a network namespace"):
        sockets.packet_socket("vantage0", 0)
