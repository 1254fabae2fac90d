"""Liveness checks: SYNs are sent within the budget, repeated once, and answered or not."""

import numpy as np

from pipeline.probe.liveness import LivenessCheck
from pipeline.probe.probes import answers_to
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


def test_an_answer_is_a_result_at_once() -> None:
    """A host that answers the first SYN has its result before the patience is over, and may then be checked again."""
    check = LivenessCheck(SECRET, 2.0)
    assert check.add(HOST) and not check.add(HOST)
    ((addresses, ports),) = check.due(10.0, lambda wanted: wanted)
    assert (addresses.tolist(), ports.tolist()) == ([HOST[0]], [HOST[1]])
    assert not check.results(10.1)
    check.receive(answer(SECRET, SYN | ACK))
    (result,) = check.results(10.2)
    assert (result.target, result.sent_at, result.first, result.second) == (HOST, 10.0, True, None)
    assert check.add(HOST)


def test_after_silence_a_second_syn_is_sent() -> None:
    """After the patience a second SYN is sent; the result says whether the host answered that SYN."""
    for answers in (False, True):
        check = LivenessCheck(SECRET, 2.0)
        check.add(HOST)
        assert list(check.due(10.0, lambda wanted: wanted))
        assert not check.results(12.0) and check.pending
        assert not check.results(90.0), "a SYN that waits for budget has not gone unanswered"
        assert list(check.due(90.0, lambda wanted: wanted))
        if answers:
            check.receive(answer(SECRET, SYN | ACK))
        (result,) = check.results(92.0)
        assert (result.first, result.second, check.sent) == (False, answers, 2)


def test_what_our_own_link_lost_begins_again() -> None:
    """A check that is under way while our link is cut off is neither answered nor silent: it begins again, once."""
    check = LivenessCheck(SECRET, 2.0)
    check.add(HOST)
    assert list(check.due(10.0, lambda wanted: wanted))
    check.begin_again()
    check.begin_again()
    assert not check.results(90.0)
    assert len(list(check.due(90.0, lambda wanted: wanted))) == 1 and not check.pending
    check.receive(answer(SECRET, SYN | ACK))
    (result,) = check.results(90.1)
    assert (result.sent_at, result.first, result.second) == (90.0, True, None)


def test_without_budget_nothing_goes() -> None:
    """Without budget the SYN waits."""
    check = LivenessCheck(SECRET, 2.0)
    check.add(HOST)
    assert not list(check.due(10.0, lambda wanted: 0)) and check.pending


def test_only_its_own_answers_count() -> None:
    """SYN-ACKs to other probes and resets are not answers."""
    assert answers_to(SECRET, answer(SECRET, SYN | ACK)).tolist() == [True]
    assert answers_to(SECRET, answer(SECRET, RST | ACK)).tolist() == [False]
    assert answers_to(SECRET, answer(Secret.of(bytes(16)), SYN | ACK)).tolist() == [False]
