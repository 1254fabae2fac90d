"""Whom the harm check chooses."""

import numpy as np

from pipeline.probe.harm import Choice
from pipeline.wire.packet import Answers

COUNT = 100_000
NONE = np.zeros(COUNT, dtype=np.uint8)
HEARD = Answers(
    np.arange(11 << 24, (11 << 24) + COUNT, dtype=np.uint32), np.full(COUNT, 104, dtype=np.uint16), *[NONE] * 10
)


def test_a_share_is_chosen_and_halved_independently() -> None:
    """One in ten is held back, half of those are visited first, and another sweep's key chooses others."""
    choice = Choice.of(bytes(range(16)), 0.1)
    first, chosen = choice.arms(HEARD)
    assert abs(chosen.sum() - 10_000) < 5 * 95
    assert abs((first & chosen).sum() - 5_000) < 5 * 50
    again = Choice.of(bytes(range(16)), 0.1).arms(HEARD)[1]
    assert (again == chosen).all()
    other = Choice.of(bytes(range(1, 17)), 0.1).arms(HEARD)[1]
    assert abs((other & chosen).sum() - 1_000) < 5 * 30
