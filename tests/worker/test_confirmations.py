"""Silence is confirmed from another source address."""

import numpy as np
import pytest

from pipeline.probe.liveness import LivenessCheck
from pipeline.space.ranges import Ranges
from pipeline.transport import messages
from pipeline.wire.cookie import Secret
from pipeline.worker.confirmations import Confirmations, confirmer


@pytest.mark.parametrize(
    ("sources", "senders", "confirmers"),
    [
        ((), 2, [None, None]),
        (("a",), 3, [None, None, None]),
        (("a", "b"), 2, [1, 0]),
        (("a", "b"), 3, [1, 2, 1]),
        (("a", "b", "c"), 3, [1, 2, 0]),
    ],
)
def test_another_address_confirms(sources: tuple[str, ...], senders: int, confirmers: list[int | None]) -> None:
    """The confirmer is the next sender with another source address; with one address there is none."""
    assert [confirmer(sources, senders, number) for number in range(senders)] == confirmers


def test_what_came_back_is_said() -> None:
    """A silent target is said to be silent after two SYNs, and one that opted out by then is said to be neither."""
    said: list[tuple[int, messages.AnyMessage]] = []
    check = LivenessCheck(Secret(1, 2), patience=0.0)
    confirmations = Confirmations(check, lambda number, message: said.append((number, message)))
    for ip in (1, 2):
        confirmations.begin(messages.Confirm(shard=3, number=4, ip=ip, port=104, sender=5))
    withheld = Ranges.of([(2, 2)])
    for at in (0.0, 1.0):
        assert all(
            isinstance(probes.addresses, np.ndarray) for probes in check.due(at, lambda wanted: wanted, withheld)
        )
        confirmations.tick()
    assert sorted(said, key=lambda each: each[1].ip) == [
        (5, messages.Confirmed(shard=3, number=4, ip=1, port=104, answered=False, syns=2)),
        (5, messages.Confirmed(shard=3, number=4, ip=2, port=104, answered=None, syns=0)),
    ]
