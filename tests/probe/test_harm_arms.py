"""Which targets the harm check defers, and each target's arm."""

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
ANSWERS = Answers(ADDRESSES, PORTS, COOKIE.source_port, COOKIE.sequence, *[NONE] * 8)


def arms(key: bytes) -> HarmArms:
    """Arms of a twentieth of the targets each, after two other samples."""
    return HarmArms(Secret.derived(key, "choice"), *list(disjoint_samples(0.3, 0.6, 0.05, 0.05))[2:])


def test_a_share_is_deferred_and_halved() -> None:
    """One target in ten is deferred, half of these are visited first, and another sweep's key defers other targets."""
    first, deferred = arms(bytes(range(16))).arms(ANSWERS)
    assert abs(deferred.sum() - 10_000) < 5 * 95
    assert abs((first & deferred).sum() - 5_000) < 5 * 50
    assert not (first & ~deferred).any()
    again = arms(bytes(range(16))).arms(ANSWERS)[1]
    assert (again == deferred).all()
    other = arms(bytes(range(1, 17))).arms(ANSWERS)[1]
    assert abs((other & deferred).sum() - 1_000) < 5 * 30
