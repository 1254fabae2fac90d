"""An outage of our own link: the sender waits, says why, and gives up at last."""

import time

import pytest

from pipeline.errors import CensusError
from pipeline.guard.link_state import LinkWatch
from pipeline.probe import outage
from pipeline.probe.outage import Outage
from pipeline.space.permit import CUT_OFF_SECONDS, Permit
from pipeline.space.ranges import Ranges
from pipeline.testbed.closed import NamespacePair, configure

FREE = Permit("", Ranges.of(()))


def permit(watched: Outage, *, paused: bool) -> Permit:
    """The permit as soon as it is a pause, or none: the kernel tells of a carrier within a second."""
    until = time.monotonic() + 3
    while bool(watched.permit().pause_reason) is not paused and time.monotonic() < until:
        time.sleep(0.02)
    return watched.permit()


def test_a_link_that_goes_and_comes(vantage: NamespacePair) -> None:
    """A link that is down pauses the sender at once, cuts off what is open after a second, and allows all when it is back."""
    watched = Outage(LinkWatch("vantage0"), lambda: FREE)
    assert watched.permit() is FREE
    configure(vantage.world, "link set world0 down\n")
    first = permit(watched, paused=True)
    assert (first.pause_reason, first.cut_off) == ("interface vantage0 has no carrier: waiting", False)
    time.sleep(CUT_OFF_SECONDS)
    assert watched.permit().cut_off
    configure(vantage.world, "link set world0 up\n")
    assert permit(watched, paused=False) is FREE
    assert watched.reason == ""


def test_it_gives_up_at_last(vantage: NamespacePair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that stays down, and one that takes no frame, end the sender with an error that says what to do."""
    monkeypatch.setattr(outage, "GIVE_UP_SECONDS", 1.0)
    watched = Outage(LinkWatch("vantage0"), lambda: FREE)
    watched.count(0, 5)
    assert (watched.permit(), watched.reason) == (FREE, "interface vantage0 takes no frames: waiting")
    watched.count(5, 0)
    assert (watched.permit(), watched.reason) == (FREE, "")
    watched.count(0, 5)
    time.sleep(1.1)
    with pytest.raises(CensusError, match="interface vantage0 takes no frames, for .* run again with --resume"):
        watched.count(0, 5)
    configure(vantage.vantage, "link set vantage0 down\n")
    watched.permit()
    time.sleep(1.1)
    with pytest.raises(CensusError, match="interface vantage0 is down, for .* run again with --resume"):
        watched.permit()
