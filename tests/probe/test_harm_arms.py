"""Whom the harm check holds back."""

import numpy as np

from pipeline.probe.harm_arms import HarmArms
from pipeline.probe.sampling import disjoint_samples
from pipeline.wire.cookie import Secret, bake
from pipeline.wire.packet import Answers

COUNT = 100_000
NONE = np.zeros(COUNT, dtype=np.uint8)
ADDRESSES = np.arange(11 << 24, (11 << 24) + COUNT, dtype=np.uint32)
PORTS = np.full(COUNT, 104, dtype=np.uint16)
COOKIE = bake(Secret.of(bytes(range(16))), ADDRESSES, PORTS)
HEARD = Answers(ADDRESSES, PORTS, COOKIE.source_port, COOKIE.sequence, *[NONE] * 8)


def choice(key: bytes) -> HarmArms:
    """One of the last tenth of the targets, beside two other lots."""
    return HarmArms(Secret.derived(key, "choice"), *list(disjoint_samples(0.3, 0.6, 0.05, 0.05))[2:])


def test_a_share_is_held_back_and_halved() -> None:
    """One in ten is held back, half of those are visited first, and another sweep's key holds back others."""
    first, held = choice(bytes(range(16))).arms(HEARD)
    assert abs(held.sum() - 10_000) < 5 * 95
    assert abs((first & held).sum() - 5_000) < 5 * 50
    assert not (first & ~held).any()
    again = choice(bytes(range(16))).arms(HEARD)[1]
    assert (again == held).all()
    other = choice(bytes(range(1, 17))).arms(HEARD)[1]
    assert abs((other & held).sum() - 1_000) < 5 * 30
