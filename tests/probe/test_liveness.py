"""Liveness checks: SYNs are sent within the budget, repeated once, and answered or not."""

import numpy as np

from pipeline.probe.liveness import LivenessCheck
from pipeline.probe.probes import Probes, answers_to
from pipeline.space.ranges import Ranges
from pipeline.wire.cookie import ProbeKind, Secret, bake, tags
from pipeline.wire.packet import ACK, RST, SYN, Answers

KEY = bytes(range(16))
SECRET = Secret.of(KEY, kind=ProbeKind.HARM)
HOST = (11 << 24, 104)
TAGS = tags(SECRET, *(np.array([part]) for part in HOST))
NOBODY, EVERYBODY = Ranges.of(()), Ranges.of([(0, 2**32 - 1)])


def answer(secret: Secret, flags: int) -> Answers:
    """A segment from HOST to a probe of a secret."""
    address, port = np.array([HOST[0]], dtype=np.uint32), np.array([HOST[1]], dtype=np.uint16)
    cookie = bake(secret, address, port)
    none, flag = np.zeros(1, dtype=np.uint8), np.full(1, flags, dtype=np.uint8)
    return Answers(address, port, cookie.source_port, cookie.sequence, none, flag, none, none, none, none, none, none)


def due(check: LivenessCheck, now: float, *, budget: int = 9, withheld: Ranges = NOBODY) -> list[Probes]:
    return list(check.due(now, lambda wanted: min(wanted, budget), withheld))


def test_an_answer_is_a_result_at_once() -> None:
    """A host that answers the first SYN has its result before the patience is over, and may then be checked again."""
    check = LivenessCheck(SECRET, 2.0)
    assert check.add(HOST) and not check.add(HOST)
    (probes,) = due(check, 10.0)
    assert (probes.addresses.tolist(), probes.ports.tolist()) == ([HOST[0]], [HOST[1]])
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
        assert due(check, 10.0)
        assert not check.results(12.0) and check.pending
        assert not check.results(90.0), "a SYN that waits for budget has not gone unanswered"
        assert due(check, 90.0)
        if answers:
            check.receive(answer(SECRET, SYN | ACK))
        (result,) = check.results(92.0)
        assert (result.first, result.second, check.sent) == (False, answers, 2)


def test_what_our_own_link_lost_begins_again() -> None:
    """A check that is under way while our link is cut off is neither answered nor silent: it begins again, once."""
    check = LivenessCheck(SECRET, 2.0)
    check.add(HOST)
    assert due(check, 10.0)
    check.begin_again()
    check.begin_again()
    assert not check.results(90.0)
    assert len(due(check, 90.0)) == 1 and not check.pending
    check.receive(answer(SECRET, SYN | ACK))
    (result,) = check.results(90.1)
    assert (result.sent_at, result.first, result.second) == (90.0, True, None)


def test_without_budget_nothing_goes() -> None:
    """Without budget the SYN waits."""
    check = LivenessCheck(SECRET, 2.0)
    check.add(HOST)
    assert not due(check, 10.0, budget=0) and check.pending


def test_only_its_own_answers_count() -> None:
    """SYN-ACKs to other probes and resets are not answers."""
    assert answers_to(SECRET, answer(SECRET, SYN | ACK), TAGS).tolist() == [True]
    assert answers_to(SECRET, answer(SECRET, RST | ACK), TAGS).tolist() == [False]
    for other in (Secret.of(bytes(16)), Secret.of(KEY), Secret.of(KEY, kind=ProbeKind.COMPANION)):
        assert answers_to(SECRET, answer(other, SYN | ACK), TAGS).tolist() == [False]


def test_nothing_goes_to_who_opted_out_meanwhile() -> None:
    """An address that the register withholds by then gets no SYN, whether the first or the second, and the result says so."""
    for before in (0, 1):
        check = LivenessCheck(SECRET, 2.0)
        check.add(HOST)
        for _ in range(before):
            assert due(check, 10.0)
            assert not check.results(20.0)
        assert not due(check, 20.0, withheld=EVERYBODY)
        (result,) = check.results(20.0)
        assert (result.withheld, result.syns, check.sent, check.pending) == (True, before, before, False)


def test_a_reset_is_an_answer_where_it_counts() -> None:
    """A check that takes resets has the first answer, a SYN-ACK or a reset; any other check goes on waiting after a reset."""
    for takes, flags, refused in ((True, RST | ACK, True), (True, SYN | ACK, False), (False, RST | ACK, None)):
        check = LivenessCheck(SECRET, 2.0, retransmits=False, takes_resets=takes)
        check.add(HOST)
        assert due(check, 10.0)
        packets = answer(SECRET, flags)
        check.receive(packets.take(check.answers(packets, TAGS)))
        results = [(result.first, result.refused, result.ttl) for result in check.results(10.1)]
        assert results == ([] if refused is None else [(True, refused, 0)])


def test_one_syn_is_all_where_nothing_is_repeated() -> None:
    """Without repetition silence is the result after the patience, and a late answer changes nothing."""
    check = LivenessCheck(SECRET, 2.0, retransmits=False)
    check.add(HOST)
    assert due(check, 10.0) and check.syns_to(HOST) == 1
    (result,) = check.results(12.0)
    assert (result.first, result.second, result.syns, result.ttl) == (False, None, 1, None)
    check.receive(answer(SECRET, SYN | ACK))
    assert not check.results(13.0) and not due(check, 90.0)


def test_before_anything_has_left_nothing_is_an_answer() -> None:
    """A packet with the right cookie, before a SYN of the check has left, is somebody's guess; afterwards it is an answer."""
    check = LivenessCheck(SECRET, 2.0)
    assert check.answers(answer(SECRET, SYN | ACK), TAGS).tolist() == [False]
    check.add(HOST)
    assert due(check, 10.0)
    assert check.answers(answer(SECRET, SYN | ACK), TAGS).tolist() == [True]
