"""What is known of an interface before and while packets leave it."""

import os
import time

import pytest

from pipeline.errors import CensusError, InputError
from pipeline.guard.link_state import Framing, LinkWatch, link_state, mss, offloads
from pipeline.guard.namespaces import inside
from pipeline.testbed.closed import VANTAGE_MAC, NamespacePair, configure
from tests.end_to_end.tunnel import device_of_kind

#: The kernel tells of a lost or new carrier within a second (net/core/link_watch.c).
NEWS_SECONDS = 3.0


def trouble(watch: LinkWatch, *, expected: bool) -> str:
    """What is wrong with an interface, as soon as something is or nothing is."""
    until = time.monotonic() + NEWS_SECONDS
    while bool(watch.trouble()) is not expected and time.monotonic() < until:
        time.sleep(0.02)
    return watch.trouble()


def test_an_interface_that_works(vantage: NamespacePair) -> None:
    """A veth is up, has carrier, Ethernet and a hardware address; its MTU gives the MSS."""
    configure(vantage.vantage, "link set vantage0 mtu 1280\n")
    assert trouble(LinkWatch("vantage0"), expected=False) == ""
    state = link_state("vantage0")
    assert (state.up, state.carrier, state.framing, state.mtu, state.mss) == (True, True, Framing.ETHERNET, 1280, 1240)
    assert state.trouble == "" and state.mac.hex(":") == VANTAGE_MAC
    assert offloads("vantage0").lro is False


@pytest.mark.parametrize(
    ("place", "said"), [("vantage", "interface vantage0 is down"), ("world", "interface vantage0 has no carrier")]
)
def test_an_interface_that_is_down(vantage: NamespacePair, place: str, said: str) -> None:
    """A link that is down and one whose other end is down are told apart, and both from one that works."""
    watch = LinkWatch("vantage0")
    assert trouble(watch, expected=False) == ""
    configure(getattr(vantage, place), f"link set {place}0 down\n")
    assert trouble(watch, expected=True) == watch.state().trouble == said
    configure(getattr(vantage, place), f"link set {place}0 up\n")
    assert trouble(watch, expected=False) == ""


def test_an_interface_that_is_gone(vantage: NamespacePair) -> None:
    """An interface that goes away meanwhile is an error, and so is one that never was."""
    watch = LinkWatch("vantage0")
    configure(vantage.vantage, "link delete vantage0\n")
    with pytest.raises(CensusError, match="interface vantage0 is gone"):
        watch.trouble()
    with pytest.raises(InputError, match="there is no interface 'vantage0'"):
        LinkWatch("vantage0")


@pytest.mark.parametrize(
    ("kind", "framing"),
    [
        (512, Framing.BARE_IP),
        (519, Framing.BARE_IP),
        (0xFFFE, Framing.BARE_IP),
        (1, Framing.ETHERNET),
        (32, Framing.OTHER),
    ],
    ids=["PPP", "raw-IP", "WireGuard", "Ethernet", "InfiniBand"],
)
def test_kinds_of_links(vantage: NamespacePair, kind: int, framing: Framing) -> None:
    """What frames begin with is told by the kind of link that the kernel names (linux/if_arp.h), here of a tun device."""
    opened = inside(vantage.vantage, lambda: device_of_kind("odd0", kind))
    assert link_state("odd0").framing is framing
    os.close(opened)


@pytest.mark.usefixtures("vantage")
@pytest.mark.parametrize(("mtu", "size"), [(1500, 1460), (9000, 1460), (1492, 1452), (576, 536), (20, 28)])
def test_the_mss_of_an_mtu(mtu: int, size: int) -> None:
    """The MSS is the MTU less 40 bytes, and never more than an ordinary Ethernet carries."""
    assert mss(mtu) == size
