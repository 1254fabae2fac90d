"""Where a sender's probes leave: by the interface, source and next hop that belong together, or not at all."""

import os
import subprocess
import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import local
from pipeline.errors import CensusError, InputError
from pipeline.plan import plan as planning
from pipeline.plan.plan import Plan
from pipeline.sweep import freeze
from pipeline.views import connection
from pipeline.worker import egress, sender
from tests.end_to_end.tunnel import device_of_kind
from tests.testbed.networks import Network, network, two_uplinks
from tests.testbed.running import CENSUS, ROOT, environment

SWEEP = """
sweep = {{ name = "uplinks", ports = [104], seed = 1, rate = 2000, shards = 1 }}
targets = {{ include = [{include}] }}
loss = {{ sample = 0.0 }}
control = {{ sample = 0.0 }}
alarm = {{ false_alarms = 0.0 }}

[probe]
cooldown = 1.0
{probe}
"""
#: In which a refusal ends a command, on a busy machine too; it was 16 to 27 s.
AT_ONCE_SECONDS = 10.0
LOCAL = (local.INTERFACE, local.SOURCE, local.GATEWAY_MAC, local.PUBLIC_ADDRESS)


@pytest.fixture(autouse=True)
def no_facts_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in LOCAL:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def uplinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """A vantage with two uplinks, from which this process sends."""
    with two_uplinks() as made:
        made.send_from("vantage", tmp_path, monkeypatch)
        yield made


def plan_of(folder: Path, *, include: str = '"11.0.0.0/24"', **probe: Any) -> Plan:
    lines = "\n".join(f"{key} = {value!r}" for key, value in ({"engine": "ring"} | probe).items())
    (folder / "sweep.toml").write_text(SWEEP.format(include=include, probe=lines))
    return freeze.freeze(folder / "sweep.toml", folder / "lake")


def work(plan: Plan, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a plan into the folder's lake, as people do."""
    (folder / "plan.json").write_bytes(planning.encode(plan))
    command = [*CENSUS, "work", str(folder / "plan.json"), "--lake", str(folder / "lake")]
    return subprocess.run(command, cwd=ROOT, env=environment(folder), capture_output=True, text=True, timeout=240)


def answers(folder: Path) -> list[tuple[str, int]]:
    """The vantages of a lake's receipts, and how many hosts each found."""
    with connection.connect(folder / "lake") as con:
        return con.execute("SELECT vantage, sum(responses)::INT FROM receipts GROUP BY ALL ORDER BY ALL").fetchall()


# --- pure: which targets go the same way ---

RANGES = st.lists(st.integers(0, 400), min_size=2, max_size=12, unique=True).map(
    lambda ends: list(zip(sorted(ends)[::2], sorted(ends)[1::2], strict=False))
)


@given(RANGES, st.sets(st.integers(1, 420), max_size=8))
def test_every_target_is_in_one_group(ranges: list[tuple[int, int]], inner: set[int]) -> None:
    """A group's ends are targets, no boundary lies inside it, and every piece with targets has its group."""
    boundaries = [0, *sorted(inner)]
    targets = [address for first, last in ranges for address in range(first, last + 1)]
    pieces: dict[int, list[int]] = {}
    for target in targets:
        pieces.setdefault(max(each for each in boundaries if each <= target), []).append(target)
    assert egress.alike(ranges, boundaries) == [(piece[0], piece[-1]) for _, piece in sorted(pieces.items())]


# --- lookups ---


@pytest.mark.parametrize(
    ("probe", "leaves"),
    [
        ({}, ("m0", "10.1.0.5", "10.1.0.1")),
        ({"interface": "s0"}, ("s0", "10.2.0.5", "10.2.0.1")),
        ({"source": "10.2.0.5"}, ("s0", "10.2.0.5", "10.2.0.1")),
        ({"interface": "s0", "source": "10.2.0.5"}, ("s0", "10.2.0.5", "10.2.0.1")),
        ({"interface": "m0"}, ("m0", "10.1.0.5", "10.1.0.1")),
    ],
)
def test_a_second_uplink(uplinks: Network, tmp_path: Path, probe: dict[str, str], leaves: tuple[str, str, str]) -> None:
    """By interface alone, source alone, or both: probes leave by the uplink that they name, with its source, to its gateway."""
    at = egress.probe_source(plan_of(tmp_path, **probe))
    assert (at.interface, at.source, at.gateway) == leaves


def test_several_sources(uplinks: Network, tmp_path: Path) -> None:
    """Each of several sources leaves by its own way; a second address of an interface is as good as the first."""
    uplinks.ip("vantage", "address add 10.1.0.6/24 dev m0")
    plan = plan_of(tmp_path, source=["10.1.0.5", "10.2.0.5", "10.1.0.6"])
    assert [(at.interface, at.source) for at in egress.sources(plan)] == [
        ("m0", "10.1.0.5"), ("s0", "10.2.0.5"), ("m0", "10.1.0.6"),
    ]  # fmt: skip


def test_gateways_that_are_not_in_the_subnet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A /31, and a /32 whose gateway is on the link only because the route says so, are ordinary."""
    with network("vantage", "world") as made:
        made.link("vantage", "m0", "world", "mr")
        made.send_from("vantage", tmp_path, monkeypatch)
        for lines, gateway in (
            (("address add 10.1.0.4/31 dev m0", "route add default via 10.1.0.5 dev m0"), "10.1.0.5"),
            (("address add 10.9.0.1/32 dev m0", "route add default via 10.1.0.1 dev m0 onlink"), "10.1.0.1"),
        ):
            made.ip("vantage", *lines)
            at = egress.probe_source(plan_of(tmp_path))
            assert (at.interface, at.gateway) == ("m0", gateway)
            made.ip("vantage", "route flush default", "address flush dev m0")


@pytest.mark.parametrize(
    ("probe", "lines", "refusal"),
    [
        ({"source": "10.1.0.77"}, (), "key probe.source: 10.1.0.77 is not an address of this machine"),
        ({"source": "10.1.0.77", "engine": "connect"}, (), "key probe.source: 10.1.0.77 is not an address of this machine"),
        ({"interface": "m9"}, (), "no interface 'm9' here"),
        ({"source": "10.2.0.5"}, ("rule del from 10.2.0.5",), "is an address of s0, but its route leaves by m0"),
        ({"interface": "s0"}, ("rule del from 10.2.0.5",), "no route from 10.2.0.5 through s0 to the targets 11.0.0.0 to 11.0.0.255"),
        ({}, ("route del default",), "there is no route to 11.0.0.0"),
        ({}, ("route add 11.0.0.128/25 via 10.2.0.1",), "leave by 10.2.0.1 on s0, 11.0.0.0 to 11.0.0.127 by 10.1.0.1 on m0"),
        ({}, ("route replace default dev m0",), "the default route by m0 has no gateway"),
        ({}, ("route add unreachable 11.0.0.64/26",), "no route from 10.1.0.5 to the targets 11.0.0.64 to 11.0.0.127"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(
    uplinks: Network, tmp_path: Path, probe: dict[str, str], lines: tuple[str, ...], refusal: str
) -> None:
    """A source that is not ours, answers that come in elsewhere, and targets without one next hop: an error before any packet."""
    uplinks.ip("vantage", *lines)
    with pytest.raises(InputError, match=refusal):
        egress.probe_source(plan_of(tmp_path, **probe))


def test_a_link_of_another_kind(uplinks: Network, tmp_path: Path) -> None:
    """On a link with neither Ethernet frames nor bare packets (InfiniBand) packet rings are refused in one line; `connect` is not."""
    opened = uplinks.within("vantage", lambda: device_of_kind("ib0", 32))
    uplinks.ip(
        "vantage", "link set ib0 up", "address add 10.3.0.5/24 dev ib0", "route replace default via 10.3.0.1 dev ib0"
    )
    with pytest.raises(InputError) as refused:
        egress.probe_source(plan_of(tmp_path))
    assert egress.probe_source(plan_of(tmp_path, engine="connect")).interface == "ib0"
    os.close(opened)
    assert str(refused.value) == (
        'interface ib0: has neither Ethernet frames nor bare IP packets, so engine "ring" cannot send there; '
        'set engine = "connect" in [probe]'
    )


def test_targets_on_the_own_link(uplinks: Network, tmp_path: Path) -> None:
    """Packet rings refuse targets on the vantage's own link in one line that names `connect`, which takes them."""
    uplinks.ip("vantage", "address add 11.0.0.9/25 dev m0")
    with pytest.raises(
        InputError, match=r'11.0.0.0 to 11.0.0.126 are on the link of m0 itself.* set \[probe\] engine = "connect"'
    ):
        egress.probe_source(plan_of(tmp_path))
    assert egress.probe_source(plan_of(tmp_path, engine="connect")).source


def test_several_next_hops_of_one_route(uplinks: Network, tmp_path: Path) -> None:
    """Where the kernel spreads connections over two gateways, all probes take one, with its own source."""
    uplinks.ip(
        "vantage", "route replace default nexthop via 10.1.0.1 dev m0 nexthop via 10.2.0.1 dev s0",
        "rule del from 10.2.0.5", "route add local 11.0.0.7 dev lo", "route add local 11.0.0.99 dev lo",
    )  # fmt: skip
    at = egress.probe_source(plan_of(tmp_path))
    assert (at.interface, at.source, at.gateway) in {("m0", "10.1.0.5", "10.1.0.1"), ("s0", "10.2.0.5", "10.2.0.1")}


def test_given_facts_need_no_route(uplinks: Network, tmp_path: Path) -> None:
    """Where interface, source and next hop are given, no route is needed."""
    uplinks.ip("vantage", "route del default")
    at = egress.probe_source(plan_of(tmp_path, interface="m0", source="10.1.0.5", gateway_mac="02:00:00:00:00:09"))
    assert (at.interface, at.source, at.gateway_mac) == ("m0", "10.1.0.5", "02:00:00:00:00:09")


def test_a_next_hop_that_does_not_answer(uplinks: Network, tmp_path: Path) -> None:
    """A gateway that nobody has is an error that another attempt may not meet (exit code 1), and it names the gateway."""
    uplinks.ip("vantage", "route replace default via 10.1.0.99 dev m0")
    plan = plan_of(tmp_path)
    with pytest.raises(CensusError, match="the next hop 10.1.0.99 on m0 does not answer") as raised:
        egress.next_hop(plan, egress.probe_source(plan)).__enter__()
    assert raised.value.exit_code == 1


def test_another_machines_next_hop(uplinks: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan's next hop that is not this machine's is refused; one that this machine's environment gives is taken."""
    plan = plan_of(tmp_path, gateway_mac="02:00:00:00:00:09")
    with pytest.raises(InputError, match="02:00:00:00:00:09 is not the next hop of this machine: 10.1.0.1 on m0 has"):
        egress.next_hop(plan, egress.probe_source(plan)).__enter__()
    monkeypatch.setenv(local.GATEWAY_MAC, "02:00:00:00:00:09")
    with egress.next_hop(plan, egress.probe_source(plan)) as hop:
        assert hop.mac == "02:00:00:00:00:09"


def test_a_shared_plan(uplinks: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan with vantage one's source is refused by vantage two, until that names its own; the plan stays the same."""
    plan = plan_of(tmp_path, source="10.7.0.1", interface="eth7")
    with pytest.raises(InputError):
        egress.probe_source(plan)
    monkeypatch.setenv(local.SOURCE, "10.2.0.5")
    monkeypatch.setenv(local.PUBLIC_ADDRESS, "20.9.9.9")
    at = egress.probe_source(plan)
    assert (at.interface, at.source, at.gateway, at.public) == ("s0", "10.2.0.5", "10.2.0.1", "20.9.9.9")


# --- sweeps ---


@pytest.mark.parametrize(
    ("probe", "source"),
    [
        ({"interface": "s0"}, "10.2.0.5"),
        ({"source": ["10.1.0.5", "10.2.0.5"]}, ""),
        ({"interface": "s0", "engine": "connect"}, "10.2.0.5"),
    ],
)  # fmt: skip
def test_a_sweep_by_the_second_uplink(uplinks: Network, tmp_path: Path, probe: dict[str, Any], source: str) -> None:
    """From a cold start every host of the world answers, and receipts name the sources."""
    with uplinks.serving("world"):
        ended = work(plan_of(tmp_path, **probe), tmp_path)
    assert ended.returncode == 0, ended.stderr[-2000:]
    found = answers(tmp_path)
    assert sum(count for _, count in found) == 256
    if source:
        assert found == [(source, 256)]


def test_the_own_link_by_connect(uplinks: Network, tmp_path: Path) -> None:
    """Targets on the vantage's own link, which packet rings refuse, are all found by the kernel's TCP."""
    uplinks.ip("vantage", "address add 11.0.0.9/24 dev m0")
    uplinks.ip("world", "route add 11.0.0.9/32 dev mr")
    refused = work(plan_of(tmp_path), tmp_path)
    assert refused.returncode == 2 and 'set [probe] engine = "connect"' in refused.stderr
    with uplinks.serving("world"):
        ended = work(plan_of(tmp_path, engine="connect", include='"11.0.0.1-11.0.0.8"'), tmp_path)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert [count for _, count in answers(tmp_path)] == [8]


def test_public_addresses_are_recorded(uplinks: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a NAT receipts name the address that the world sees, and no warning asks for it."""
    monkeypatch.setenv(local.PUBLIC_ADDRESS, "20.9.9.9")
    with uplinks.serving("world"):
        ended = work(plan_of(tmp_path), tmp_path)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert answers(tmp_path) == [("20.9.9.9", 256)]
    assert local.PUBLIC_ADDRESS not in ended.stderr


def test_a_refusal_ends_the_command_at_once(uplinks: Network, tmp_path: Path) -> None:
    """What cannot work ends `census work` within seconds, with exit code 2 and one line, before a process of it starts."""
    plan, began = plan_of(tmp_path, source="10.1.0.77"), time.monotonic()
    ended = work(plan, tmp_path)
    assert time.monotonic() - began < AT_ONCE_SECONDS
    assert ended.returncode == 2
    (line,) = [line for line in ended.stderr.splitlines() if "10.1.0.77" in line]
    assert "not an address of this machine" in line
    assert not (tmp_path / "lake").exists()
    assert str(IPv4Address("10.1.0.77")) in line


def test_the_mss_follows_the_least_mtu(uplinks: Network, tmp_path: Path) -> None:
    """SYNs announce the MSS of the interface's MTU, or of a route's own if that is less: of two routes the lesser one's."""
    plan = plan_of(tmp_path, include='"11.0.0.0/24", "11.9.0.0/24"')
    assert sender._link(egress.probe_source(plan), "02:00:00:00:00:01").mss == 1460
    uplinks.ip("vantage", "route add 11.9.0.0/16 via 10.1.0.1 dev m0 mtu 1400")
    assert sender._link(egress.probe_source(plan), "02:00:00:00:00:01").mss == 1360
    uplinks.ip("vantage", "link set m0 mtu 1280")
    assert sender._link(egress.probe_source(plan), "02:00:00:00:00:01").mss == 1240
