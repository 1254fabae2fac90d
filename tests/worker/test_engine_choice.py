"""Engine `auto` at vantages of many kinds: the fastest that works there, and in one line why no faster one."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from pipeline.config.sections import HarmSection
from pipeline.engines import Engine
from pipeline.errors import InputError
from pipeline.guard import sockets
from pipeline.guard.link_state import FrameCounter
from pipeline.plan import plan as planning
from pipeline.plan.plan import Plan
from pipeline.probe.departure import ENOUGH
from pipeline.rings.open import open_rings
from pipeline.rings.transmit import ProbeRing
from pipeline.wire.cookie import Secret
from pipeline.worker import engine_choice
from tests.rings import far_end
from tests.rings.test_xdp import TEMPLATE
from tests.testbed.networks import Network, two_uplinks
from tests.testbed.running import ROOT
from tests.worker.test_egress import plan_of

SETPRIV = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", "--"]
UNLOCKED = ["setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock", "--", "prlimit", "--memlock=0:0", "--"]
#: Prints which engine `auto` takes for a plan.
CHOICE = """
import sys
from pathlib import Path
from pipeline.plan import plan
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


def at_rate(plan: Plan, rate: int) -> Plan:
    return msgspec.structs.replace(plan, settings=msgspec.structs.replace(plan.settings, rate=rate))


def taken(plan: Plan) -> str:
    run, sentence = engine_choice.preview(plan)
    assert run.digest == plan.digest and f"takes {run.probe.engine}" in sentence
    return sentence


def sent_by(ring: ProbeRing) -> list[int]:
    """Send ENOUGH probes; which have not left."""
    ring.fill(np.arange(ENOUGH, dtype=np.uint32), np.full(ENOUGH, 104, np.uint16), Secret(1, 2), None)
    return ring.send(ENOUGH).tolist()


def test_the_fastest(uplinks: Network, tmp_path: Path) -> None:
    """On Ethernet, as root, it is AF_XDP; the plan stays the same, and one that names its engine is taken as it is."""
    assert taken(automatic(tmp_path)) == "auto takes xdp, fast enough for 2,000 probes/s"
    named = plan_of(tmp_path, engine="ring")
    assert engine_choice.preview(named) == (named, "") and engine_choice.choose(named).plan is named


@pytest.mark.bpf
def test_live_frames_at_high_rates(uplinks: Network, tmp_path: Path) -> None:
    """From 200,000 probes a second on it is live frames, where the driver takes them; else the sentence says that it does not."""
    plan = at_rate(automatic(tmp_path), 200_000)
    said = "auto takes xdp, since xdp-live cannot: the driver of m0 takes no redirected frames"
    assert engine_choice.preview(plan)[1] == said
    link = far_end.attach(uplinks.holders["world"].pid, "mr")
    assert engine_choice.preview(plan)[1] == "auto takes xdp-live, the fastest"
    assert "xdp," in engine_choice.preview(at_rate(plan, 199_999))[1]
    counter, ring = FrameCounter("m0"), open_rings(Engine.XDP_LIVE, "m0", TEMPLATE, ()).probes
    before = counter.sent()
    assert (ring.engine, sent_by(ring)) == (Engine.XDP_LIVE, [])
    assert counter.sent() - before >= ENOUGH
    counter.close()
    link.close()


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
    assert taken(automatic(tmp_path)) == "auto takes xdp, fast enough for 2,000 probes/s"
    for engine in (Engine.XDP, Engine.RING):
        counter, ring = FrameCounter(device), open_rings(engine, device, TEMPLATE, ()).probes
        before = counter.sent()
        assert (ring.engine, sent_by(ring)) == (engine, [])
        assert counter.sent() - before >= ENOUGH
        counter.close()


def test_somebody_elses_program(uplinks: Network, tmp_path: Path) -> None:
    """An XDP program of another owner on the interface hinders no sending: AF_XDP is taken, and its frames leave."""
    attached = far_end.attach(uplinks.holders["vantage"].pid, "m0")
    assert taken(automatic(tmp_path)) == "auto takes xdp, fast enough for 2,000 probes/s"
    counter, ring = FrameCounter("m0"), open_rings(Engine.XDP, "m0", TEMPLATE, ()).probes
    before = counter.sent()
    assert (ring.engine, sent_by(ring)) == (Engine.XDP, [])
    assert counter.sent() - before >= ENOUGH
    counter.close()
    attached.close()


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
    slow = dict.fromkeys((Engine.XDP_LIVE, Engine.XDP, Engine.RING), "x")
    assert "probes/s" not in engine_choice.choose(plan, slow).sentence
    assert engine_choice.choose(at_rate(plan, 1_000_000), slow).sentence.endswith(
        "; it sends at most 21,052 of 1,000,000 probes/s"
    )


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
