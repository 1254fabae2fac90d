"""Live frames over a closed pair: probes arrive as the reference makes them, and each is counted as taken or refused."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.bpf.kernel import XdpAction
from pipeline.engines import Engine
from pipeline.errors import CensusError, GuardError
from pipeline.guard.proof import TESTBED
from pipeline.guard.sockets import ONLY_TESTBED
from pipeline.rings import live_frames
from pipeline.rings.live_frames import LiveRing, unavailable, untaken
from pipeline.rings.live_memory import RECORDS
from pipeline.rings.open import open_rings
from pipeline.rings.transmit import RefusedError
from pipeline.testbed.closed import NamespacePair, configure
from pipeline.wire.cookie import ProbeKind, Secret, bake
from pipeline.wire.packet import FRAME, Link, template
from tests.rings import far_end
from tests.rings.test_live_program import FRAME_OF_PROBES, expected
from tests.rings.test_xdp import watching
from tests.testbed.running import ROOT

SECRET = Secret.of(bytes(range(16)))


@pytest.fixture
def far(vantage: NamespacePair) -> Iterator[socket.socket]:
    """The world's end of the pair, which takes live frames."""
    link = far_end.attach(vantage.world, "world0")
    with watching(vantage, 0x0800) as monitor:
        yield monitor
    link.close()


def send(ring: LiveRing, addresses: "np.typing.NDArray[np.uint32]", port: int = 104) -> list[int]:
    """Send probes; which have not left."""
    ring.fill(addresses, np.full(len(addresses), port, np.uint16), SECRET)
    return ring.send(len(addresses)).tolist()


def arrived(far: socket.socket, count: int) -> list[bytes]:
    """The next `count` frames."""
    return [far.recv(4096) for _ in range(count)]


def drained(far: socket.socket) -> int:
    """How many more frames have arrived."""
    far.setblocking(False)
    count = 0
    try:
        while far.recv(4096):
            count += 1
    except BlockingIOError:
        return count
    finally:
        far.settimeout(2)


def test_probes_arrive_as_the_reference_makes_them(far: socket.socket) -> None:
    """Each probe arrives once, in order and byte by byte right, more of them than there are records; all are counted as taken."""
    ring = LiveRing("vantage0", FRAME_OF_PROBES)
    addresses = np.arange(0x0B000000, 0x0B000000 + 2 * RECORDS + 5, dtype=np.uint32)
    for begin in range(0, len(addresses), 5000):
        part = addresses[begin : begin + 5000]
        assert ring.room(len(part)) == len(part)
        assert send(ring, part) == []
        frames = arrived(far, len(part))
        for address, frame in zip(part.tolist()[::500], frames[::500], strict=True):
            assert frame == expected(SECRET, address, 104, int.from_bytes(frame[18:20], "big"))
        assert [int.from_bytes(frame[30:34], "big") for frame in frames] == part.tolist()
        assert ring.tags.tolist() == bake(SECRET, part, np.full(len(part), 104)).sequence.tolist()
    assert (drained(far), ring.taken, ring.rejected, ring.engine) == (0, len(addresses), 0, Engine.XDP_LIVE)


def test_another_secret_and_another_link(far: socket.socket) -> None:
    """Probes of another kind carry cookies of their own secret, and after a change of the link all have its next hop and MSS."""
    ring, other = LiveRing("vantage0", FRAME_OF_PROBES), Secret.of(bytes(range(16)), kind=ProbeKind.SECOND)
    one = np.array([0x0B000001], np.uint32)
    send(ring, one)
    ring.fill(one, np.array([80], np.uint16), other)
    changed = template(Link(b"\x02\x00\x00\x00\x00\x06", b"\x02\x00\x00\x00\x00\x07", 0xC6120001, 1240))
    ring.change_template(changed)
    ring.send(1)
    first, second = arrived(far, 2)
    assert first == expected(SECRET, 0x0B000001, 104, int.from_bytes(first[18:20], "big"))
    assert second == expected(other, 0x0B000001, 80, int.from_bytes(second[18:20], "big"), changed)


def test_what_the_driver_does_not_take_is_known(vantage: NamespacePair, far: socket.socket) -> None:
    """While the other end is away every probe comes back with its tag, and none is counted; sent again, all arrive."""
    ring, addresses = LiveRing("vantage0", FRAME_OF_PROBES), np.arange(100, dtype=np.uint32) + np.uint32(0x0B000000)
    for end, place in (("world0", vantage.world), ("vantage0", vantage.vantage)):
        taken, rejected = ring.taken, ring.rejected
        configure(place, f"link set {end} down\n")
        assert send(ring, addresses) == list(range(100))
        assert ring.tags.tolist() == bake(SECRET, addresses, np.full(100, 104)).sequence.tolist()
        assert (ring.taken - taken, ring.rejected - rejected) == (0, 100)
        configure(place, f"link set {end} up\n")
        with pytest.raises(OSError):  # that the link was down
            far.recv(1)
        far_end.wait_for_carrier(vantage)
        assert send(ring, addresses) == []
        assert [int.from_bytes(frame[30:34], "big") for frame in arrived(far, 100)] == addresses.tolist()


@pytest.mark.usefixtures("far")
def test_a_full_queue_loses_nothing(vantage: NamespacePair) -> None:
    """Many frames at once are sent again where the driver's queue was full, until it has taken all: the far end gets each."""
    ring = LiveRing("vantage0", FRAME_OF_PROBES)
    before = received(vantage)
    for _ in range(3):
        assert send(ring, np.arange(RECORDS, dtype=np.uint32)) == []
    until = time.monotonic() + 5
    while received(vantage) - before < 3 * RECORDS and time.monotonic() < until:
        time.sleep(0.01)
    assert (ring.taken, received(vantage) - before) == (3 * RECORDS, 3 * RECORDS)


def received(pair: NamespacePair) -> int:
    """The frames that the world's end has received."""
    lines = Path(f"/proc/{pair.world}/net/dev").read_text().splitlines()
    return next(int(line.split()[2]) for line in lines if line.strip().startswith("world0:"))


@pytest.mark.usefixtures("far")
def test_a_signal_in_the_middle_loses_nothing() -> None:
    """Signals that come during the calls do not make a probe vanish or leave twice."""
    ring, ended = LiveRing("vantage0", FRAME_OF_PROBES), threading.Event()
    seen: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: seen.append(number))
    main = threading.get_ident()

    def disturb() -> None:
        while not ended.wait(0.0003):
            signal.pthread_kill(main, signal.SIGUSR1)

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        for _ in range(5):
            assert send(ring, np.arange(RECORDS, dtype=np.uint32)) == []
    finally:
        ended.set()
        thread.join()
        signal.signal(signal.SIGUSR1, before)
    assert seen and ring.taken == 5 * RECORDS


@pytest.mark.usefixtures("vantage")
def test_a_driver_that_takes_none(vantage: NamespacePair, capfd: pytest.CaptureFixture[str]) -> None:
    """A veth whose other end has no NAPI is known before anything is sent, and AF_XDP takes over in one line."""
    before = received(vantage)
    assert untaken("vantage0") == "the driver of vantage0 takes no redirected frames"
    with pytest.raises(RefusedError, match="vantage0: the driver of vantage0 takes no redirected frames"):
        LiveRing("vantage0", FRAME_OF_PROBES)
    rings = open_rings(Engine.XDP_LIVE, "vantage0", FRAME_OF_PROBES, ())
    said = (
        "warning: no live frames on vantage0: the driver of vantage0 takes no redirected frames; frames leave by AF_XDP"
    )
    assert (rings.probes.engine, capfd.readouterr().err.strip()) == (Engine.XDP, said)
    link = far_end.attach(vantage.world, "world0")
    assert (untaken("vantage0"), unavailable()) == ("", "")
    assert received(vantage) == before
    link.close()


def test_a_driver_that_takes_no_more(vantage: NamespacePair) -> None:
    """If the driver stops to take frames in the middle of a sweep, one error says so, and how to go on."""
    link = far_end.attach(vantage.world, "world0")
    ring = LiveRing("vantage0", FRAME_OF_PROBES)
    link.close()
    with pytest.raises(
        CensusError, match=r"interface vantage0 takes no more frames from BPF \(Operation not supported\); run"
    ):
        send(ring, np.arange(10, dtype=np.uint32))
    assert ring.taken == 0


def test_somebody_elses_program(vantage: NamespacePair, far: socket.socket) -> None:
    """An XDP program of another owner on the interface hinders nothing, and is left alone."""
    theirs = far_end.attach(vantage.vantage, "vantage0", XdpAction.DROP)
    ring = LiveRing("vantage0", FRAME_OF_PROBES)
    assert send(ring, np.arange(10, dtype=np.uint32)) == []
    assert len(arrived(far, 10)) == 10
    theirs.close()


def test_a_kernel_without_live_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that does not know the flag (here: another flag that none knows) is named as the reason."""
    monkeypatch.setattr(live_frames.kernel, "LIVE_FRAMES", 1 << 30)
    assert unavailable() == "BPF: this kernel has no live frames (Linux 5.18 has them)"


def test_without_privilege() -> None:
    """A process without CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN gets the system's word."""
    lacking = ["setpriv", "--bounding-set=-bpf,-perfmon,-sys_admin", "--inh-caps=-bpf,-perfmon,-sys_admin", "--"]
    script = "from pipeline.rings import live_frames; print(live_frames.unavailable())"
    ended = subprocess.run(
        [*lacking, sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert ended.stdout.strip() == "BPF: Operation not permitted", ended.stderr


def test_a_frame_without_ethernet(vantage: NamespacePair, capfd: pytest.CaptureFixture[str]) -> None:
    """Where frames have no Ethernet header packet rings do it, and each step down is one line."""
    configure(vantage.vantage, "tuntap add dev q0 mode tun\nlink set q0 up\n")
    rings = open_rings(Engine.XDP_LIVE, "q0", FRAME_OF_PROBES[14:], ())
    assert rings.probes.engine is Engine.RING
    assert capfd.readouterr().err.count("its frames have no Ethernet header") == 2


def test_nothing_is_made_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of a testbed no way to redirect frames is made, and there is no fallback to another way of sending."""
    monkeypatch.setenv(ONLY_TESTBED, "1")
    monkeypatch.delenv(TESTBED, raising=False)
    with pytest.raises(GuardError, match="redirecting frames to vantage0 is refused"):
        LiveRing("vantage0", FRAME_OF_PROBES)
    with pytest.raises(GuardError):
        open_rings(Engine.XDP_LIVE, "vantage0", FRAME_OF_PROBES, ())


#: Opens a ring, says so, and waits to be killed.
HOLD = """
import sys, time
from pipeline.rings.live_frames import LiveRing
ring = LiveRing("vantage0", bytes.fromhex(sys.argv[1]))
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.usefixtures("far")
def test_nothing_stays_after_a_kill() -> None:
    """After SIGKILL the kernel has no program, no link and no namespace of the ring's."""
    before = programs()
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, FRAME_OF_PROBES.hex()], cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stdout.readline() == "ready\n"
        assert len(programs() - before) >= 4
        process.kill()
    until = time.monotonic() + 10
    while programs() - before and time.monotonic() < until:
        time.sleep(0.05)
    assert programs() - before == set()


def programs() -> set[int]:
    """The ids of all programs that the kernel has."""
    found, last = set(), 0
    while (last := far_end.next_program(last)) is not None:
        found.add(last)
    return found


def test_frames_are_as_long_as_probes() -> None:
    """A probe's frame has the length that the program writes."""
    assert len(FRAME_OF_PROBES) == FRAME.itemsize
