"""Engine `auto` at vantages of many kinds: the fastest that works there, and in one line why no faster one."""

import ctypes
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pipeline.config.sections import HarmSection
from pipeline.engines import Engine
from pipeline.errors import InputError
from pipeline.guard import sockets
from pipeline.guard.link_state import FrameCounter
from pipeline.probe.departure import ENOUGH
from pipeline.rings.open import open_rings
from pipeline.space import plan as planning
from pipeline.space.plan import Plan
from pipeline.worker import engine_choice
from tests.rings.test_xdp import TEMPLATE
from tests.testbed.networks import Network, two_uplinks
from tests.testbed.running import ROOT
from tests.worker.test_egress import plan_of

#: bpf(2) and what it needs to attach a program to an interface (linux/bpf.h, asm/unistd_64.h).
SYS_BPF, BPF_PROG_LOAD, BPF_LINK_CREATE = 321, 5, 28
BPF_PROG_TYPE_XDP, BPF_XDP, XDP_PASS = 6, 37, 2
SETPRIV = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", "--"]
UNLOCKED = ["setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock", "--", "prlimit", "--memlock=0:0", "--"]
#: Prints which engine `auto` takes for a plan.
CHOICE = """
import sys
from pathlib import Path
from pipeline.space import plan
from pipeline.worker import engine_choice
print(engine_choice.preview(plan.decode(Path(sys.argv[1]).read_bytes(), "plan"))[1])
"""


@pytest.fixture
def uplinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """A vantage with two uplinks, from which this process sends."""
    with two_uplinks() as made:
        made.send_from("vantage", tmp_path, monkeypatch)
        yield made


def automatic(folder: Path, **probe: object) -> Plan:
    return plan_of(folder, engine="auto", **probe)


def taken(plan: Plan) -> str:
    run, sentence = engine_choice.preview(plan)
    assert run.digest == plan.digest and f"takes {run.probe.engine}" in sentence
    return sentence


def xdp_program(interface: str) -> int:
    """Attach a program that passes every packet to an interface, as another program does; it stays while this is open."""
    call = ctypes.CDLL(None, use_errno=True).syscall
    code = struct.pack("<BBhiBBhi", 0xB7, 0, 0, XDP_PASS, 0x95, 0, 0, 0)  # r0 = XDP_PASS; exit
    kept, licence = ctypes.create_string_buffer(code), ctypes.create_string_buffer(b"GPL")
    load = struct.pack(
        "<IIQQIIQII16sII", BPF_PROG_TYPE_XDP, 2, ctypes.addressof(kept), ctypes.addressof(licence),
        0, 0, 0, 0, 0, b"somebody", 0, BPF_XDP,
    )  # fmt: skip
    program = call(SYS_BPF, BPF_PROG_LOAD, load, len(load))
    assert program >= 0, os.strerror(ctypes.get_errno())
    link = struct.pack("<IIII", program, socket.if_nametoindex(interface), BPF_XDP, 0)
    attached = int(call(SYS_BPF, BPF_LINK_CREATE, link, len(link)))
    assert attached >= 0, os.strerror(ctypes.get_errno())
    os.close(program)
    return attached


def test_the_fastest(uplinks: Network, tmp_path: Path) -> None:
    """On Ethernet, as root, it is AF_XDP; the plan stays the same, and one that names its engine is taken as it is."""
    assert taken(automatic(tmp_path)) == "auto takes xdp, the fastest"
    named = plan_of(tmp_path, engine="ring")
    assert engine_choice.preview(named) == (named, "") and engine_choice.choose(named).plan is named


@pytest.mark.parametrize(
    ("lines", "device"),
    [
        (("link add name q0 link m0 type macvlan mode bridge",), "q0"),
        (("link add name q0 type bridge", "link set m0 master q0"), "q0"),
        ((), "m0"),
    ],
    ids=["macvlan", "bridge", "veth"],
)
def test_kinds_of_ethernet(uplinks: Network, tmp_path: Path, lines: tuple[str, ...], device: str) -> None:
    """A macvlan, a bridge and a veth pair take AF_XDP, and each counts the frames that leave through its rings."""
    if lines:
        way = ("link set q0 up", "address add 10.3.0.5/24 dev q0", "route replace default via 10.3.0.1 dev q0")
        uplinks.ip("vantage", *lines, *way)
    assert taken(automatic(tmp_path)) == "auto takes xdp, the fastest"
    for engine in (Engine.XDP, Engine.RING):
        counter, ring = FrameCounter(device), open_rings(engine, device, TEMPLATE, ()).probes
        before = counter.sent()
        ring.frames(ENOUGH)
        assert (ring.engine, len(ring.send(ENOUGH))) == (engine, 0)
        assert counter.sent() - before >= ENOUGH
        counter.close()


def test_somebody_elses_program(uplinks: Network, tmp_path: Path) -> None:
    """An XDP program of another owner on the interface hinders no sending: AF_XDP is taken, and its frames leave."""
    attached = uplinks.within("vantage", lambda: xdp_program("m0"))
    assert taken(automatic(tmp_path)) == "auto takes xdp, the fastest"
    counter, ring = FrameCounter("m0"), open_rings(Engine.XDP, "m0", TEMPLATE, ()).probes
    before = counter.sent()
    ring.frames(ENOUGH)
    ring.send(ENOUGH)
    assert ring.engine is Engine.XDP and counter.sent() - before >= ENOUGH
    counter.close()
    os.close(attached)


def test_a_link_without_ethernet(uplinks: Network, tmp_path: Path) -> None:
    """Through a tun device it is packet rings."""
    uplinks.ip("vantage", "tuntap add dev q0 mode tun", "link set q0 up", "address add 10.3.0.5/32 dev q0",
               "route replace default dev q0 src 10.3.0.5")  # fmt: skip
    assert taken(automatic(tmp_path)) == "auto takes ring, since xdp cannot: frames of q0 have no Ethernet header"


@pytest.mark.parametrize(
    ("line", "include", "why"),
    [
        (
            "address add 11.0.0.9/24 dev m0",
            "11.0.0.0/24",
            "[targets]: 11.0.0.0 to 11.0.0.254 are on the link of m0 itself",
        ),
        ("address add 11.0.0.9/32 dev lo", "11.0.0.9", "[targets]: are addresses of this machine"),
        (
            "route add 11.0.0.128/25 via 10.2.0.1 dev s0",
            "11.0.0.0/24",
            "[targets]: 11.0.0.128 to 11.0.0.255 leave by 10.2.0.1",
        ),
    ],
    ids=["own link", "own address", "two next hops"],
)
def test_targets_that_rings_do_not_reach(uplinks: Network, tmp_path: Path, line: str, include: str, why: str) -> None:
    """For targets on the own link, on this machine or behind several next hops the kernel connects."""
    uplinks.ip("vantage", line)
    sentence = taken(automatic(tmp_path, include=f'"{include}"'))
    assert sentence.startswith(f"auto takes connect, since xdp and ring cannot: {why}") and "; " not in sentence


@pytest.mark.parametrize(
    ("prefix", "said"),
    [
        (SETPRIV, "auto takes connect, since xdp and ring cannot: packet sockets: Operation not permitted"),
        (UNLOCKED, "auto takes ring, since xdp cannot: AF_XDP: No buffer space available"),
    ],
    ids=["no CAP_NET_RAW", "no locked memory"],
)
def test_privileges(uplinks: Network, tmp_path: Path, prefix: list[str], said: str) -> None:
    """Without CAP_NET_RAW the kernel connects; without locked memory, which AF_XDP needs, it is packet rings."""
    (tmp_path / "plan.json").write_bytes(planning.encode(automatic(tmp_path)))
    command = [*prefix, sys.executable, "-c", CHOICE, str(tmp_path / "plan.json")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.stdout.strip() == said, ended.stderr


def test_an_old_kernel(uplinks: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel without AF_XDP, to which its number is that of no family, gets packet rings."""
    monkeypatch.setattr(sockets, "AF_XDP", 255)
    assert taken(automatic(tmp_path)) == (
        "auto takes ring, since xdp cannot: AF_XDP: Address family not supported by protocol"
    )


def test_a_rate_above_what_connections_can_do(uplinks: Network, tmp_path: Path) -> None:
    """Where the kernel connects more slowly than the plan's rate, the line says how fast."""
    plan = automatic(tmp_path)
    slow = dict.fromkeys((Engine.XDP, Engine.RING), "x")
    assert "probes/s" not in engine_choice.choose(plan, slow).sentence
    fast = msgspec.structs.replace(plan, settings=msgspec.structs.replace(plan.settings, rate=1_000_000))
    assert engine_choice.choose(fast, slow).sentence.endswith("; it sends at most 21,052 of 1,000,000 probes/s")


def test_where_none_works(uplinks: Network, tmp_path: Path) -> None:
    """If connections cannot do what the plan asks for either, one error names every engine and its reason."""
    uplinks.ip("vantage", "address add 11.0.0.9/24 dev m0")
    plan = automatic(tmp_path)
    plan = msgspec.structs.replace(plan, harm=HarmSection())
    with pytest.raises(
        InputError, match=r'"auto" finds none that works here: xdp and ring cannot: .*connect cannot: \[harm\] needs'
    ):
        engine_choice.choose(plan)
    assert engine_choice.preview(plan)[0].probe.engine is Engine.XDP
