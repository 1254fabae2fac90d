"""The checks of a vantage, in closed networks with real routers."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.doctor import examine, network
from pipeline.doctor.finding import Finding, Level, Subject
from pipeline.sweep import freeze
from tests.testbed.networks import Network, two_uplinks
from tests.testbed.running import CENSUS, ROOT

SWEEP = """
sweep = {{ name = "doctor", ports = [104], seed = 1, rate = 1000 }}
targets = {{ include = ["11.0.0.0/24"] }}
probe = {{ {probe} }}
control = {{ {control} }}
"""


@pytest.fixture
def vantage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    with two_uplinks() as made:
        made.send_from("vantage", tmp_path, monkeypatch)
        yield made


def subject(folder: Path, probe: str = "", control: str = "") -> Subject:
    (folder / "sweep.toml").write_text(SWEEP.format(probe=probe, control=control))
    return Subject.here(freeze.freeze(folder / "sweep.toml", folder / "lake"), folder / "lake")


def findings(check: str, of: Subject) -> list[Finding]:
    return [finding for finding in examine.examine(of) if finding.check == check]


def test_the_way_of_a_second_uplink(vantage: Network, tmp_path: Path) -> None:
    """The check names interface, next hop and MTU of the interface that the configuration names, not of the default route."""
    vantage.ip("vantage", "link set s0 mtu 1280")
    texts = [finding.text for finding in findings("route", subject(tmp_path, 'interface = "s0", source = "10.2.0.5"'))]
    assert "probes leave from 10.2.0.5 through s0 to the next hop 10.2.0.1" in texts
    assert "interface s0 is up: Ethernet, MTU 1280, so SYNs announce an MSS of 1240" in texts


def test_a_next_hop_that_does_not_answer(vantage: Network, tmp_path: Path) -> None:
    """A gateway that no neighbour has is a stop."""
    vantage.ip("world", "address del 10.1.0.1/24 dev mr")
    (last,) = [finding for finding in findings("route", subject(tmp_path)) if finding.level is Level.STOP]
    assert "the next hop 10.1.0.1 on m0 does not answer (ARP)" in last.text


def test_a_link_that_is_down(vantage: Network, tmp_path: Path) -> None:
    """An interface that is down is a stop, whatever the routes say."""
    vantage.ip("vantage", "link set s0 down")
    found = findings("route", subject(tmp_path, 'interface = "s0", source = "10.2.0.5"'))
    assert Level.STOP in {finding.level for finding in found}


def test_a_private_source(vantage: Network, tmp_path: Path) -> None:
    """A private source is a warning that names the variable of the public one."""
    first, *_ = findings("NAT", subject(tmp_path))
    assert (first.level, first.remedy) == (Level.WARNING, "export CENSUS_PUBLIC_ADDRESS")


def test_a_source_that_is_not_ours(vantage: Network, tmp_path: Path) -> None:
    """A source that this machine does not have is a stop."""
    (found,) = findings("route", subject(tmp_path, 'source = "10.9.9.9"'))
    assert found.level is Level.STOP and "10.9.9.9" in found.text


def test_what_listens_on_the_port_of_the_sweep(vantage: Network, tmp_path: Path) -> None:
    """A server of this machine on a port of the sweep is a warning; without it there is none."""
    assert [found.level for found in findings("ports", subject(tmp_path))] == [Level.OK]
    with vantage.serving("vantage"):
        *_, found = findings("ports", subject(tmp_path))
    assert found.level is Level.WARNING and "this machine itself listens on 104" in found.text


def test_control_targets(vantage: Network, tmp_path: Path) -> None:
    """Without control targets there is a warning; with them, which they are and their interval."""
    (without,) = findings("control targets", subject(tmp_path))
    (given,) = findings("control targets", subject(tmp_path, control='targets = ["11.0.0.9:104"], interval = 5.0'))
    assert (without.level, given.level) == (Level.WARNING, Level.OK)
    assert given.text == "SYNs to 11.0.0.9:104 show every 5 s that the path works"


def test_resets_can_be_held_back(vantage: Network, tmp_path: Path) -> None:
    """As root of the namespace, nftables can be changed, and every engine's sockets can be opened."""
    assert [found.level for found in findings("RST filter", subject(tmp_path))] == [Level.OK]
    (found,) = network.engine(subject(tmp_path))
    assert (found.level, found.text) == (Level.OK, "auto takes xdp, fast enough for 1,000 probes/s")
    (named,) = network.engine(subject(tmp_path, 'engine = "ring"'))
    assert (named.level, named.text) == (Level.OK, "the sweep takes ring, as configured")


def test_where_the_kernel_connects(vantage: Network, tmp_path: Path) -> None:
    """Targets on the own link leave `connect`: a warning says why, and that losses are not measured then."""
    vantage.ip("vantage", "address add 11.0.0.9/24 dev m0")
    (found,) = network.engine(subject(tmp_path))
    assert found.level is Level.WARNING and found.text.startswith(
        "auto takes connect, since xdp and ring cannot: [targets]"
    )
    assert found.text.endswith("; it measures no losses")
    assert list(network.rst_filter(subject(tmp_path))) == []


@pytest.mark.parametrize(("engine", "level"), [("ring", "stop"), ("connect", "ok"), ("auto", "ok")])
def test_a_lacking_capability(vantage: Network, tmp_path: Path, engine: str, level: str) -> None:
    """Without CAP_NET_RAW, packet rings are a stop that names it; `connect` needs none, and `auto` takes it."""
    subject(tmp_path, f'engine = "{engine}"')
    command = [
        "setpriv",
        "--bounding-set=-net_raw",
        "--inh-caps=-net_raw",
        *CENSUS,
        "doctor",
        str(tmp_path / "sweep.toml"),
    ]
    ended = subprocess.run(
        [*command, "--lake", str(tmp_path / "lake"), "--json"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    (found,) = [row for row in map(json.loads, ended.stdout.splitlines()) if row["check"] == "privileges"]
    assert found["level"] == level and found["text"].startswith("CAP_NET_RAW lacks")
    assert ended.returncode == (3 if level == "stop" else 0), ended.stderr
