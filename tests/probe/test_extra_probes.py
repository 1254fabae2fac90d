"""Extra probes: which targets get one, when, and which probe an answer belongs to."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.probe.extra_probes import ExtraProbe, ExtraProbes
from pipeline.probe.probes import Probes
from pipeline.probe.sampling import disjoint_samples, sampling_values
from pipeline.wire.cookie import ProbeKind, Secret, bake, tags
from pipeline.wire.packet import ACK, RST, SYN, Answers

KEY = bytes(range(16))
SAMPLER = Secret.derived(KEY, "choice")
SAMPLES = tuple(disjoint_samples(0.1, 0.1))
SECOND = ExtraProbe("second", Secret.of(KEY, kind=ProbeKind.SECOND), SAMPLES[0], 3.0)
CONTROL = ExtraProbe("control", Secret.of(KEY, kind=ProbeKind.CONTROL), SAMPLES[1], 0.0, 50_000, 104)
ADDRESSES = np.arange(11 << 24, (11 << 24) + 100_000, dtype=np.uint32)
PORTS = np.where(ADDRESSES % 2, 104, 11112).astype(np.uint16)
PROBES = Probes.of(Secret.of(KEY), ADDRESSES, PORTS)
TAGS = bake(Secret.of(KEY), ADDRESSES, PORTS).sequence
VALUES = sampling_values(SAMPLER, TAGS)
POSITIONS = np.arange(len(ADDRESSES))


def answers(addresses: np.ndarray, ports: np.ndarray, secret: Secret, flags: int) -> Answers:
    """SYN-ACKs, or other answers, to probes whose cookies a secret made."""
    cookie = bake(secret, addresses, ports)
    none = np.zeros(len(addresses), dtype=np.uint8)
    flag = np.full(len(addresses), flags, dtype=np.uint8)
    fields = (addresses, ports, cookie.source_port, cookie.sequence, none, flag, none, none, none, none, none, none)
    return Answers(*fields)


def answer(kind: ExtraProbe, packets: Answers) -> np.ndarray:
    """Which packets answer probes of a kind."""
    return kind.answers(packets, tags(Secret.of(KEY), packets.address, packets.port))


def test_a_share_of_the_targets_is_selected_and_always_the_same() -> None:
    """A tenth of all targets get a second SYN, a tenth of the first port's a control SYN, none both, whatever the batches."""
    second, control = SECOND.select(VALUES, PORTS), CONTROL.select(VALUES, PORTS)
    assert abs(len(second) - 10_000) < 5 * 95
    assert abs(len(control) - 5_000) < 5 * 67
    assert (PORTS[control] == 104).all()
    again = SECOND.select(sampling_values(SAMPLER, TAGS[second]), PORTS[second])
    assert (again == np.arange(len(second))).all()
    assert not len(np.intersect1d(second, control))


def test_each_is_sent_once_after_its_delay() -> None:
    """Before the delay no probe is due; then all are due, once each, however small the grants are."""
    extra = ExtraProbes((SECOND,), SAMPLER)
    extra.schedule(1, POSITIONS, PROBES, TAGS, now=10.0)
    assert extra.next_due == 13.0
    assert not list(extra.due(12.9, lambda wanted: wanted))
    sent: list[int] = []
    while extra.next_due < float("inf"):
        for due in extra.due(13.0, lambda wanted: min(wanted, 777)):
            sent += due.addresses.tolist()
    assert sent == ADDRESSES[SECOND.select(VALUES, PORTS)].tolist()


def test_nothing_is_sent_where_nothing_is_granted() -> None:
    """Without budget all extra probes stay in the queue."""
    extra = ExtraProbes((SECOND,), SAMPLER)
    extra.schedule(1, POSITIONS, PROBES, TAGS, now=0.0)
    assert not list(extra.due(5.0, lambda wanted: 0))
    due = sum(len(due.position) for due in extra.due(5.0, lambda wanted: wanted))
    assert due == len(SECOND.select(VALUES, PORTS))


@given(st.sets(st.integers(0, 99)))
def test_an_answer_shows_which_probe_it_answers(which: set[int]) -> None:
    """SYN-ACKs to second SYNs, to control SYNs and to the plan's probes are distinguished; resets answer none of them."""
    indices = np.array(sorted(which), dtype=np.int64)
    addresses, ports = ADDRESSES[indices], PORTS[indices]
    of_second = answers(addresses, ports, SECOND.secret, SYN | ACK)
    assert answer(SECOND, of_second).all() and not answer(CONTROL, of_second).any()
    of_control = answers(addresses, CONTROL.ports(ports), CONTROL.secret, SYN | ACK)
    assert answer(CONTROL, of_control).all() and not answer(SECOND, of_control).any()
    for foreign in (
        answers(addresses, ports, Secret.of(KEY), SYN | ACK),
        answers(addresses, ports, SECOND.secret, RST | ACK),
        answers(addresses, ports, CONTROL.secret, SYN | ACK),
    ):
        assert not answer(SECOND, foreign).any() and not answer(CONTROL, foreign).any()


def test_a_control_answer_belongs_to_the_first_pass() -> None:
    """A control probe's target is on the plan's first port; a second SYN's target is on the port that answered."""
    assert CONTROL.plan_ports(np.array([50_000], dtype=np.uint16)).tolist() == [104]
    assert SECOND.plan_ports(np.array([11112], dtype=np.uint16)).tolist() == [11112]
