"""After an outage probes leave from other ports, and the connections of before are reset."""

import numpy as np

from pipeline.probe.extra_probes import ExtraProbes
from pipeline.probe.probe_set import MOST_ACKED, ProbeSet, validated
from pipeline.space.permutation import Permutation
from pipeline.space.ranges import Ranges, Space
from pipeline.space.shard import Walk
from pipeline.wire.cookie import Secret, Slice, bake, tags
from pipeline.wire.packet import ACK, FIN, PSH, RST, SYN, Answers

COUNT = 8
SPACE = Ranges.of([(11 << 24, (11 << 24) + COUNT - 1)])
WALK = Walk(Space.over(SPACE), Permutation.seeded(COUNT, 1), (104,), addresses=COUNT, shards=1, range_targets=COUNT)
OURS = Slice.of(3, 4, turn=(1 << 12) - 1)
KEY = b"a secret"
TAGS = tags(Secret.of(KEY), *WALK.targets(0, 0, COUNT))


def probes() -> ProbeSet:
    secret = Secret.of(KEY, OURS)
    return ProbeSet(WALK, secret, ExtraProbes((), secret))


def answers(secret: Secret, flags: int, acked: int = 0) -> Answers:
    """A packet with these flags of each target, which acknowledges so many bytes of a connection that a secret began."""
    addresses, ports = WALK.targets(0, 0, COUNT)
    cookie, none = bake(secret, addresses, ports), np.zeros(COUNT, dtype=np.uint32)
    columns = dict.fromkeys(Answers.__dataclass_fields__, none)
    columns |= {"address": addresses, "port": ports, "our_port": cookie.source_port}
    columns |= {"our_sequence": cookie.sequence + np.uint32(acked), "flags": np.full(COUNT, flags, dtype=np.uint8)}
    return Answers(**columns)  # type: ignore[arg-type]


def test_a_turn_changes_every_port_and_no_tag() -> None:
    """Each target's probe leaves from another port of the same slice, with the same tag."""
    ours = probes()
    targets = WALK.targets(0, 0, COUNT)
    first = bake(ours.secret, *targets)
    ours.turn()
    then = bake(ours.secret, *targets)
    assert (first.source_port != then.source_port).all() and (first.sequence == then.sequence).all()
    assert ((then.source_port >= OURS.first) & (then.source_port <= OURS.last)).all()


def test_what_is_of_before() -> None:
    """Segments of connections of before are known by their port, a SYN-ACK as well as data; resets are none, nor what is of now."""
    ours = probes()
    before = ours.secret
    assert not ours.of_before(answers(before, SYN | ACK), TAGS).any()
    ours.turn()
    for flags, acked in ((SYN | ACK, 0), (ACK, 200), (PSH | ACK, 200), (FIN | ACK, 200)):
        assert ours.of_before(answers(before, flags, acked), TAGS).all()
        assert not ours.of_before(answers(ours.secret, flags, acked), TAGS).any()
    assert not ours.of_before(answers(before, RST), TAGS).any()
    assert not ours.of_before(answers(before, RST | ACK, 200), TAGS).any()
    assert not ours.of_before(answers(before, ACK, MOST_ACKED + 1), TAGS).any()


def test_validated() -> None:
    """An answer acknowledges at most MOST_ACKED bytes of ours; a bare RST acknowledges nothing and is known by its port."""
    secret = probes().secret
    for flags, acked, right in (
        (SYN | ACK, 0, True),
        (ACK, MOST_ACKED, True),
        (ACK, MOST_ACKED + 1, False),
        (RST, 1 << 20, True),
    ):
        valid, counted = validated(secret, answers(secret, flags, acked), TAGS)
        assert (valid == right).all() and (counted == acked).all()
