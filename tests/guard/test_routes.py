"""The way to a target is the kernel's for one source and one interface; looking it up sends nothing."""

from collections.abc import Iterator

import pytest

from pipeline.errors import InputError
from pipeline.guard import routes
from pipeline.guard.routes import Route
from tests.testbed.networks import Network, two_uplinks

TARGET = "11.0.0.1"


@pytest.fixture(scope="module")
def uplinks() -> Iterator[Network]:
    with two_uplinks() as made:
        yield made


def look_up(uplinks: Network, source: str = "", interface: str = "", target: str = TARGET) -> Route | None:
    def here() -> Route | None:
        with routes.netlink() as opened:
            return routes.look_up(opened, target, source, interface)

    return uplinks.within("vantage", here)


def test_the_default_route(uplinks: Network) -> None:
    """Without a source and an interface it is the default route, with the source that the kernel prefers."""
    assert look_up(uplinks) == Route("m0", "10.1.0.5", "10.1.0.1", 0, True)


def test_policy_routing_by_source(uplinks: Network) -> None:
    """A source with a routing rule leaves by its own uplink, with or without the interface."""
    own = Route("s0", "10.2.0.5", "10.2.0.1", 0, True)
    assert look_up(uplinks, "10.2.0.5") == look_up(uplinks, "10.2.0.5", "s0") == own


def test_no_route_is_invented(uplinks: Network) -> None:
    """Where an interface has no route for a source, there is none, though the kernel would take the target for a neighbour."""
    assert look_up(uplinks, "10.1.0.5", "s0") is None
    assert look_up(uplinks, "10.1.0.5", "m0") is not None


def test_several_default_routes(uplinks: Network) -> None:
    """Of several default routes the one through the interface counts, whatever its metric."""
    uplinks.ip("vantage", "route add default via 10.2.0.9 dev s0 metric 500")
    try:
        assert look_up(uplinks, "10.1.0.5", "s0") == Route("s0", "10.1.0.5", "10.2.0.9", 0, True)
        assert look_up(uplinks) == Route("m0", "10.1.0.5", "10.1.0.1", 0, True)
    finally:
        uplinks.ip("vantage", "route del default via 10.2.0.9 dev s0 metric 500")


def test_a_route_with_an_mtu_of_its_own(uplinks: Network) -> None:
    """A route may say how long packets are at most."""
    uplinks.ip("vantage", "route add 11.9.0.0/16 via 10.1.0.1 dev m0 mtu 1400")
    try:
        assert look_up(uplinks, target="11.9.0.1") == Route("m0", "10.1.0.5", "10.1.0.1", 16, True, 1400)
    finally:
        uplinks.ip("vantage", "route del 11.9.0.0/16 via 10.1.0.1 dev m0")


def test_several_next_hops_of_one_route(uplinks: Network) -> None:
    """Of a route with several next hops all targets take the same: that of the source's interface, or the first."""
    uplinks.ip(
        "vantage", "route replace default nexthop via 10.1.0.1 dev m0 nexthop via 10.2.0.1 dev s0", "rule del table 100"
    )
    targets = [f"11.0.{number}.1" for number in range(20)]
    try:
        assert {look_up(uplinks, target=each) for each in targets} <= {
            Route("m0", "10.1.0.5", "10.1.0.1", 0, True), Route("s0", "10.2.0.5", "10.2.0.1", 0, True),
        }  # fmt: skip
        for source, interface, gateway in (("10.1.0.5", "m0", "10.1.0.1"), ("10.2.0.5", "s0", "10.2.0.1")):
            same = {Route(interface, source, gateway, 0, True)}
            assert {look_up(uplinks, source, target=each) for each in targets} == same
            assert {look_up(uplinks, interface=interface, target=each) for each in targets} == same
    finally:
        uplinks.ip("vantage", "route replace default via 10.1.0.1 dev m0", "rule add from 10.2.0.5 table 100")


def test_targets_on_the_link_and_of_this_machine(uplinks: Network) -> None:
    """A target on the link has no gateway, and an address of this machine, or of a whole link, is no unicast target."""
    assert look_up(uplinks, target="10.2.0.77") == Route("s0", "10.2.0.5", "", 24, True)
    ours, broadcast = look_up(uplinks, target="10.2.0.5"), look_up(uplinks, target="10.2.0.255")
    assert ours and broadcast and not ours.unicast and not broadcast.unicast


def test_whose_address(uplinks: Network) -> None:
    """An address is ours if this machine has it, on whatever interface; one on loopback or a dummy is at home nowhere."""
    uplinks.ip("vantage", "address add 10.3.0.5/32 dev lo", "route add local 10.4.0.0/24 dev lo")

    def here() -> tuple[list[bool], list[str]]:
        with routes.netlink() as opened:
            ours = [
                routes.is_ours(opened, each) for each in ("10.2.0.5", "10.3.0.5", "10.4.0.9", "10.2.0.6", "10.5.0.5")
            ]
            return ours, [routes.interface_of(opened, each) for each in ("10.2.0.5", "10.3.0.5", "10.5.0.5")]

    assert uplinks.within("vantage", here) == ([True, True, True, False, False], ["s0", "", ""])


def test_boundaries(uplinks: Network) -> None:
    """Between two boundaries all targets go the same way."""

    def here() -> list[int]:
        with routes.netlink() as opened:
            return routes.boundaries(opened)

    found = uplinks.within("vantage", here)
    assert {0, 10 << 24 | 2 << 16, 10 << 24 | 2 << 16 | 1 << 8} <= set(found) and found == sorted(set(found))


def test_an_interface_that_is_not_there(uplinks: Network) -> None:
    """An interface that does not exist is named in the error."""
    with pytest.raises(InputError, match="no interface 'nope' here"):
        look_up(uplinks, interface="nope")
