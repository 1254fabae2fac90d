"""Probes beside the plan's own: who gets one, when, and whose an answer is."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.probe.extra_probes import ExtraProbe, ExtraProbes
from pipeline.probe.sampling import disjoint_samples, sampling_values
from pipeline.wire.cookie import Secret, bake
from pipeline.wire.packet import ACK, RST, SYN, Answers

KEY = bytes(range(16))
CHOOSER = Secret.derived(KEY, "choice")
LOTS = tuple(disjoint_samples(0.1, 0.1))
SECOND = ExtraProbe.of("second", KEY, LOTS[0], delay=3.0)
CONTROL = ExtraProbe.of("control", KEY, LOTS[1], delay=0.0, port=50_000, beside=104)
ADDRESSES = np.arange(11 << 24, (11 << 24) + 100_000, dtype=np.uint32)
PORTS = np.where(ADDRESSES % 2, 104, 11112).astype(np.uint16)
TAGS = bake(Secret.of(KEY), ADDRESSES, PORTS).sequence
DRAWN = sampling_values(CHOOSER, TAGS)


def answers(addresses: np.ndarray, ports: np.ndarray, secret: Secret, flags: int) -> Answers:
    """SYN-ACKs, or other answers, to probes whose cookies a secret made."""
    cookie = bake(secret, addresses, ports)
    none = np.zeros(len(addresses), dtype=np.uint8)
    flag = np.full(len(addresses), flags, dtype=np.uint8)
    fields = (addresses, ports, cookie.source_port, cookie.sequence, none, flag, none, none, none, none, none, none)
    return Answers(*fields)


def test_a_share_of_the_targets_is_chosen_and_always_the_same() -> None:
    """A tenth of all targets get a second SYN, a tenth of those on the first port a control SYN, none both, whatever the batch."""
    second, control = SECOND.chosen(DRAWN, PORTS), CONTROL.chosen(DRAWN, PORTS)
    assert abs(len(second) - 10_000) < 5 * 95
    assert abs(len(control) - 5_000) < 5 * 67
    assert (PORTS[control] == 104).all()
    assert (SECOND.chosen(sampling_values(CHOOSER, TAGS[second]), PORTS[second]) == np.arange(len(second))).all()
    assert not len(np.intersect1d(second, control))


def test_each_is_sent_once_after_its_delay() -> None:
    """Nothing is due before the delay; then all are, once each, however little is granted at a time."""
    asides = ExtraProbes((SECOND,), CHOOSER)
    asides.choose(1, np.arange(len(ADDRESSES)), ADDRESSES, PORTS, TAGS, now=10.0)
    assert asides.next_due == 13.0
    assert not list(asides.due(12.9, lambda wanted: wanted))
    sent: list[int] = []
    while asides.next_due < float("inf"):
        for due in asides.due(13.0, lambda wanted: min(wanted, 777)):
            sent += due.addresses.tolist()
    assert sent == ADDRESSES[SECOND.chosen(DRAWN, PORTS)].tolist()


def test_nothing_is_sent_where_nothing_is_granted() -> None:
    """Without budget all of it stays."""
    asides = ExtraProbes((SECOND,), CHOOSER)
    asides.choose(1, np.arange(len(ADDRESSES)), ADDRESSES, PORTS, TAGS, now=0.0)
    assert not list(asides.due(5.0, lambda wanted: 0))
    assert sum(len(due.position) for due in asides.due(5.0, lambda wanted: wanted)) == len(SECOND.chosen(DRAWN, PORTS))


@given(st.sets(st.integers(0, 99)))
def test_an_answer_tells_which_probe_it_answers(places: set[int]) -> None:
    """SYN-ACKs to second and control probes are told apart, and from those to the plan's own and from resets."""
    chosen = np.array(sorted(places), dtype=np.int64)
    asides = ExtraProbes((SECOND, CONTROL), CHOOSER)
    addresses, ports = ADDRESSES[:100], PORTS[:100]
    found = {
        aside.name: place.tolist()
        for aside, place in asides.whose(answers(addresses, ports, SECOND.secret, SYN | ACK), chosen)
    }
    assert found == ({"second": chosen.tolist()} if places else {})
    asked = CONTROL.asked(ports)
    found = {
        aside.name: place.tolist()
        for aside, place in asides.whose(answers(addresses, asked, CONTROL.secret, SYN | ACK), chosen)
    }
    assert found == ({"control": chosen.tolist()} if places else {})
    for foreign in (
        answers(addresses, ports, Secret.of(KEY), SYN | ACK),
        answers(addresses, ports, SECOND.secret, RST | ACK),
    ):
        assert not list(asides.whose(foreign, chosen))


def test_a_control_answer_belongs_to_the_first_pass() -> None:
    """An answer on the control port is placed by the port beside which it was asked; a second one by its own."""
    assert CONTROL.home(np.array([50_000], dtype=np.uint16)).tolist() == [104]
    assert SECOND.home(np.array([11112], dtype=np.uint16)).tolist() == [11112]
