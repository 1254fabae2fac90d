"""SYNs that belong to no range: sent as granted, repeated once, answered or not."""

import numpy as np

from pipeline.probe.liveness import LivenessCheck
from pipeline.wire.cookie import Secret, bake
from pipeline.wire.packet import ACK, RST, SYN, Answers

SECRET = Secret.of(bytes(range(16)))
HOST = (11 << 24, 104)


def answer(secret: Secret, flags: int) -> Answers:
    """A segment from HOST to a probe of a secret."""
    address, port = np.array([HOST[0]], dtype=np.uint32), np.array([HOST[1]], dtype=np.uint16)
    cookie = bake(secret, address, port)
    none, flag = np.zeros(1, dtype=np.uint8), np.full(1, flags, dtype=np.uint8)
    return Answers(address, port, cookie.source_port, cookie.sequence, none, flag, none, none, none, none, none, none)


def test_an_answer_is_told_at_once() -> None:
    """Who answers the first SYN is told so before patience ends, and may then be asked again."""
    asking = LivenessCheck(SECRET, 2.0)
    assert asking.ask(HOST) and not asking.ask(HOST)
    ((addresses, ports),) = asking.due(10.0, lambda wanted: wanted)
    assert (addresses.tolist(), ports.tolist()) == ([HOST[0]], [HOST[1]])
    assert not asking.told(10.1)
    asking.hear(answer(SECRET, SYN | ACK))
    (told,) = asking.told(10.2)
    assert (told.target, told.asked_at, told.first, told.second) == (HOST, 10.0, True, None)
    assert asking.ask(HOST)


def test_silence_is_asked_once_more() -> None:
    """After the patience a second SYN goes; only the silence after it is told, or its answer."""
    for answers in (False, True):
        asking = LivenessCheck(SECRET, 2.0)
        asking.ask(HOST)
        assert list(asking.due(10.0, lambda wanted: wanted))
        assert not asking.told(12.0) and asking.waits
        assert not asking.told(90.0), "what waits for budget has not been silent"
        assert list(asking.due(90.0, lambda wanted: wanted))
        if answers:
            asking.hear(answer(SECRET, SYN | ACK))
        (told,) = asking.told(92.0)
        assert (told.first, told.second, asking.sent) == (False, answers, 2)


def test_without_budget_nothing_goes() -> None:
    """Where nothing is granted the question waits."""
    asking = LivenessCheck(SECRET, 2.0)
    asking.ask(HOST)
    assert not list(asking.due(10.0, lambda wanted: 0)) and asking.waits


def test_only_its_own_answers_count() -> None:
    """SYN-ACKs to other probes and resets are no answers."""
    asking, first = LivenessCheck(SECRET, 2.0), np.zeros(1, dtype=np.int64)
    assert asking.whose(answer(SECRET, SYN | ACK), first).tolist() == [0]
    assert asking.whose(answer(SECRET, RST | ACK), first).tolist() == []
    assert asking.whose(answer(Secret.of(bytes(16)), SYN | ACK), first).tolist() == []
