"""The watch over a sender's way: what changes in the middle of a sweep pauses it, and is never held against a host."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.associate import loop
from pipeline.errors import CensusError
from pipeline.space.permit import Permit
from pipeline.space.ranges import Ranges
from pipeline.sweep import freeze
from pipeline.worker import egress, way_watch
from pipeline.worker.way_watch import WayWatch, watched
from tests.testbed.networks import Network, two_uplinks

SWEEP = """
sweep = {{ name = "way", ports = [104], seed = 1, rate = 2000 }}
targets = {{ include = ["11.0.0.0/24"] }}
probe = {{ engine = "{engine}" }}
"""
FREE = Permit("", Ranges.of(()))
ROUTE = "route replace default via 10.1.0.1 dev m0"
SILENT = "the next hop 10.1.0.1 on m0 does not answer (ARP): waiting"


@pytest.fixture
def uplinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """A vantage with two uplinks, from which this process sends."""
    with two_uplinks() as made:
        made.send_from("vantage", tmp_path, monkeypatch)
        yield made


ENGINES = pytest.mark.parametrize("engine", ["ring", "connect"])


@pytest.fixture
def way(engine: pytest.FixtureRequest, uplinks: Network, tmp_path: Path) -> Iterator[WayWatch]:
    """The watch over the way of a plan's only sender, by the uplink m0."""
    (tmp_path / "sweep.toml").write_text(SWEEP.format(engine=engine))
    plan = freeze.freeze(tmp_path / "sweep.toml", tmp_path / "lake")
    with watched(plan, egress.probe_source(plan), lambda: FREE) as (watch, _):
        assert not watch.permit().pause_reason
        yield watch


def reason(watch: WayWatch, *, ends: bool, seconds: float = 20.0) -> str:
    """Why sending pauses, as soon as it does, or as soon as it `ends` to; fails if that takes too long."""
    until = time.monotonic() + seconds
    while bool(watch.permit().pause_reason) is ends:
        assert time.monotonic() < until, "not in time"
        time.sleep(0.01)
    return watch.permit().pause_reason


@ENGINES
def test_a_route_that_goes_and_comes_back(uplinks: Network, way: WayWatch) -> None:
    """Without a route, or without its source, nothing is sent within a moment; when it is there again, sending goes on."""
    for gone, why in (
        ("route del default", "there is no route from 10.1.0.5"),
        ("address del 10.1.0.5/24 dev m0", "10.1.0.5 is not an address of this machine: waiting"),
    ):
        uplinks.ip("vantage", gone)
        assert reason(way, ends=False, seconds=2).startswith(why)
        time.sleep(way_watch.CUT_OFF_SECONDS)
        assert way.permit().cut_off
        uplinks.ip("vantage", *(["address add 10.1.0.5/24 dev m0"] if "address" in gone else []), ROUTE)
        reason(way, ends=True)


@pytest.mark.parametrize("engine", ["connect"])
def test_it_may_be_asked_while_an_event_loop_runs(uplinks: Network, way: WayWatch) -> None:
    """The associator asks from its loop, and its process may be at the vantage already."""
    uplinks.ip("vantage", "route del default")

    async def asked() -> str:
        return reason(way, ends=False, seconds=2)

    assert uplinks.within("vantage", lambda: loop.run(asked())).startswith("there is no route from 10.1.0.5")


@ENGINES
def test_a_second_default_route(engine: str, uplinks: Network, way: WayWatch) -> None:
    """A better route through another uplink does not matter to packet rings; the kernel would take it, so `connect` waits."""
    uplinks.ip(
        "vantage",
        f"{ROUTE} metric 100",
        "route add default via 10.2.0.1 dev s0 metric 10",
        "route del default metric 0",
    )
    if engine == "ring":
        time.sleep(2 * way_watch.QUICK_SECONDS)
        assert not way.permit().pause_reason
    else:
        assert reason(way, ends=False) == (
            "packets would leave from 10.1.0.5 by 10.2.0.1 on s0, no longer from 10.1.0.5 by 10.1.0.1 on m0: waiting"
        )


@ENGINES
def test_another_gateway(uplinks: Network, way: WayWatch) -> None:
    """A route's new gateway on the same interface is taken, after what was under way is void; one that nobody has is waited for."""
    uplinks.ip("world", "address add 10.1.0.2/24 dev mr")
    uplinks.ip("vantage", "route replace default via 10.1.0.2 dev m0")
    assert "by 10.1.0.2 on m0, no longer" in reason(way, ends=False)
    assert reason(way, ends=True) == ""


@ENGINES
def test_all_who_ask_learn_that_something_is_void(uplinks: Network, way: WayWatch) -> None:
    """Before another gateway is taken, each of those who ask in turn is given a permit by which what was under way is void."""
    uplinks.ip("world", "address add 10.1.0.2/24 dev mr")
    uplinks.ip("vantage", "route replace default via 10.1.0.2 dev m0")
    reason(way, ends=False)
    knows, until = [False, False], time.monotonic() + 20
    while way.fault and time.monotonic() < until:
        knows = [way.permit().cut_off or known for known in knows]
        time.sleep(0.01)
    assert knows == [True, True] and way.at.gateway == "10.1.0.2"


@pytest.mark.parametrize("engine", ["ring"])
def test_another_hardware_address(uplinks: Network, way: WayWatch) -> None:
    """An interface's new hardware address is taken, after what was under way is void."""
    before, other = way.at.mac.hex(":"), "02:00:00:00:01:03"
    uplinks.ip("vantage", f"link set m0 address {other}")
    assert reason(way, ends=False) == f"m0 has the hardware address {other}, no longer {before}: waiting"
    assert reason(way, ends=True) == ""
    assert way.at.mac.hex(":") == other


@ENGINES
def test_a_next_hop_that_stays_away(uplinks: Network, way: WayWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    """A next hop that does not answer pauses what may be sent, throws doubt on what was finished since it last did, and ends it."""
    monkeypatch.setattr(way_watch, "GIVE_UP_SECONDS", 2.0)
    before = time.time()
    uplinks.ip("world", "link set mr arp off", "neigh flush all")
    uplinks.ip("vantage", "neigh flush all")
    opened = uplinks.within("vantage", lambda: socket.socket(type=socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
    with opened:
        opened.connect_ex(("11.0.0.1", 104))  # what makes the kernel ask
        assert reason(way, ends=False) == SILENT
    doubt, again = way.doubt(), way.doubt()
    assert doubt and doubt.since <= before * 1e6 + 1e6 and doubt.reason == SILENT.removesuffix(": waiting")
    assert again is None
    with pytest.raises(CensusError, match="when that is mended, run again with --resume"):
        reason(way, ends=True)
