"""Nothing is sent to a special-purpose, multicast or never-touch address, whoever asks and whatever the plan says."""

import socket
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import GuardError
from pipeline.guard import forbidden, proof, sockets
from pipeline.rings.live_frames import LiveRing
from pipeline.rings.transmit import FilledRing, SegmentRing
from pipeline.space import blocklist
from pipeline.space.ranges import Ranges
from pipeline.testbed.closed import NamespacePair
from pipeline.wire.cookie import Secret
from pipeline.wire.packet import RST, Link
from pipeline.wire.segment import Endpoints, Kind
from tests.owner import signed_ranges

NEVER = sorted({pair[end] for pair in blocklist.ranges(None, Ranges.of(())).pairs() for end in (0, 1)})


@pytest.fixture(autouse=True)
def afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that another test found."""
    monkeypatch.setattr(forbidden, "_closed_until", float("-inf"))
    monkeypatch.setattr(forbidden, "_signed", [])


@pytest.mark.parametrize("address", NEVER)
def test_both_ends_of_every_block(address: int) -> None:
    """The first and the last address of each block are refused, alone and among others."""
    others = np.array([0x08080808, address, 0xC2000001], dtype=np.uint32)
    with pytest.raises(GuardError, match="special-purpose or on the never-touch list"):
        forbidden.refuse(others)
    forbidden.refuse(others[[0, 2]])


def test_random_addresses() -> None:
    """The quick look never misses what the exact one finds."""
    addresses = np.random.default_rng(3).integers(0, 2**32, 20_000, dtype=np.uint32)
    never = blocklist.ranges(None, Ranges.of(())).contains(addresses)
    forbidden.refuse(addresses[~never])
    assert forbidden._blocks()[addresses[never] >> 16].all()


def test_no_probe_leaves() -> None:
    """A ring that is handed such a probe fills no frame, whatever makes its frames."""
    probe = np.array([0x0A000001], np.uint32), np.array([104], np.uint16), Secret.of(bytes(16)), None
    for ring in (FilledRing(Ring(), bytes(74)), LiveRing.__new__(LiveRing)):  # type: ignore[arg-type]
        with pytest.raises(GuardError, match=r"10\.0\.0\.1 was to be sent to"):
            ring.fill(*probe)


class Ring:
    """A ring whose frames nobody may fill."""

    def room(self, wanted: int) -> int:
        return wanted

    def frames(self, count: int) -> object:
        raise AssertionError("a frame was filled")


def test_no_segment_leaves() -> None:
    """A segment to such an address, e.g. an answer to a forged SYN-ACK, is not made."""
    kind = Kind.of(Link(bytes(6), bytes(6), 0xC6336301), RST)
    columns = {"port": np.uint16, "our_port": np.uint16, "sequence": np.uint32, "acknowledgement": np.uint32}
    to = Endpoints(np.array([0xE0000001], np.uint32), **{name: np.array([1], kind_) for name, kind_ in columns.items()})
    with pytest.raises(GuardError, match=r"224\.0\.0\.1"):
        SegmentRing(Ring()).send([(kind, to)])  # type: ignore[arg-type]


@pytest.mark.parametrize("address", ["10.0.0.1", "224.0.0.1", "169.254.169.254", "255.255.255.255", "0.0.0.0"])
def test_no_socket_is_made(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's TCP gets no socket for such an address, also where the program may send to others."""
    monkeypatch.delenv(sockets.ONLY_TESTBED)
    monkeypatch.setattr(socket, "socket", lambda *_: pytest.fail("a socket was made"))
    with pytest.raises(GuardError, match="special-purpose"):
        sockets.tcp_socket(address)


def test_private_addresses_that_their_owner_signed_for(tmp_path: Path) -> None:
    """Signed private addresses are reached; others, and signed addresses that are not private, are not."""
    forbidden.allow_private(signed_ranges(tmp_path, "10.20.0.0/30\n"))
    forbidden.refuse_dotted("10.20.0.1")
    for address in ("10.20.0.4", "224.0.0.1", "127.0.0.1"):
        with pytest.raises(GuardError):
            forbidden.refuse_dotted(address)
    forbidden.allow_private(None)
    with pytest.raises(GuardError):
        forbidden.refuse_dotted("10.20.0.1")


def test_a_closed_testbed_is_excepted(vantage: NamespacePair) -> None:
    """Inside a testbed that is closed any address may be simulated; the proof is made anew each second."""
    forbidden.refuse_dotted("10.0.0.1")
    forbidden._closed_until = float("-inf")
    Path(proof.os.environ[proof.TESTBED]).unlink()
    proof._last = proof.Proof(float("-inf"), ("", 0), ())
    with pytest.raises(GuardError):
        forbidden.refuse_dotted("10.0.0.1")


def test_each_sender_is_checked() -> None:
    """Frames are filled in two places of the program, one of them in the kernel, and sockets made in one; each of them asks first."""
    root = Path(forbidden.__file__).parents[1]
    filling = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if any(f"{module}.fill(" in path.read_text() for module in ("packet", "segment"))
    }
    assert filling == {"rings/transmit.py"}
    for name in (*filling, "rings/live_frames.py", "guard/sockets.py"):
        assert "forbidden.refuse" in (root / name).read_text()
