"""Which addresses the harm check defers, and each one's arm."""

import numpy as np

from pipeline.probe.harm_arms import HarmArms

COUNT = 100_000
ADDRESSES = np.arange(11 << 24, (11 << 24) + COUNT, dtype=np.uint32)
KEY = bytes(range(16))


def test_a_share_is_deferred_and_halved() -> None:
    """One address in ten is deferred, half of these are visited first, and another sweep's key defers other addresses."""
    first, deferred = HarmArms.of(KEY, 0.1).arms(ADDRESSES)
    assert abs(deferred.sum() - 10_000) < 5 * 95
    assert abs((first & deferred).sum() - 5_000) < 5 * 50
    assert not (first & ~deferred).any()
    other = HarmArms.of(bytes(range(1, 17)), 0.1).arms(ADDRESSES)[1]
    assert abs((other & deferred).sum() - 1_000) < 5 * 30


def test_an_address_is_in_one_arm_on_all_ports() -> None:
    """The arm follows from the address and the sweep's key alone, in whatever order addresses answer."""
    first, deferred = HarmArms.of(KEY, 0.1).arms(ADDRESSES)
    again, deferred_again = HarmArms.of(KEY, 0.1).arms(ADDRESSES[::-1])
    assert (again[::-1] == first).all() and (deferred_again[::-1] == deferred).all()


def test_all_may_be_deferred() -> None:
    """With the whole share every address is in one of both arms."""
    assert HarmArms.of(KEY, 1.0).arms(ADDRESSES)[1].all()
