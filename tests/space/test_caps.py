"""Caps on the probes that a block gets in an hour."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.space import caps
from pipeline.space.caps import Blocks, Load
from pipeline.space.permutation import Permutation
from pipeline.space.ranges import Ranges, Space
from pipeline.space.shard import Walk

pairs = st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 700)).map(lambda p: (p[0], p[0] + p[1])), min_size=1)
ports_of = {1: (104,), 3: (104, 11112, 4242)}


@given(pairs)
def test_blocks_are_those_of_a_count(covered: list[tuple[int, int]]) -> None:
    """The number and fill of the /24s equal those from counting every address."""
    ranges = Ranges.of(covered)
    addresses = np.concatenate([np.arange(first, last + 1) for first, last in ranges.pairs()])
    counted = np.bincount(addresses >> 8)
    assert caps.slash24(ranges) == Blocks("/24", int((counted > 0).sum()), int(counted.max()))


@pytest.mark.parametrize("ports", [1, 3])
@pytest.mark.parametrize("shards", [1, 7])
@pytest.mark.parametrize("cap", [30, 60])
def test_a_lowered_rate_keeps_the_cap(ports: int, shards: int, cap: int) -> None:
    """At the computed rate, no /24 gets more than the cap in any hour of the real order, over several seeds."""
    ranges = Ranges.of([(0, 199_999), (400_000, 599_999)])
    load = Load(400_000, 400_000, ports, shards, rate=1000)
    blocks = caps.slash24(ranges)
    rate = caps.highest_rate(cap, blocks, load)
    assert 0 < rate < 1000 and not caps.is_kept(cap, blocks, Load(400_000, 400_000, ports, shards, rate + 1))
    for seed in range(5):
        order = Permutation.seeded(400_000, seed)
        walk = Walk(Space.over(ranges), order, ports_of[ports], 400_000, shards, 10**9)
        sent = np.concatenate([walk.targets(n, 0, r.length)[0] for n in range(shards) for r in walk.ranges(n)])
        hour = np.arange(len(sent)) // (rate * caps.HOUR)
        keys, counts = np.unique(hour * 2**24 + (sent >> 8), return_counts=True)
        assert len(keys) and counts.max() <= cap


def test_a_rate_that_keeps_the_cap_is_unchanged() -> None:
    """A sweep of the whole Internet at 100,000 a second stays under 100 probes an hour to each /24 without a lower rate."""
    load = Load(3_700_000_000, 3_700_000_000, 1, 64, 100_000)
    blocks = Blocks("/24", 14_500_000, 256)
    assert caps.highest_rate(100, blocks, load) == 100_000
    assert caps.per_hour(blocks, load) == pytest.approx(24.9, abs=0.1)


def test_a_sweep_of_few_targets_cannot_break_a_cap() -> None:
    """A block with no more targets than the cap never gets more probes, at any rate."""
    assert caps.is_kept(256, Blocks("/24", 1, 256), Load(256, 256, 1, 1, 10_000_000))


def test_a_cap_that_cannot_be_kept_gives_no_rate() -> None:
    """If one probe a second is too much, there is no rate."""
    assert caps.highest_rate(10, Blocks("/24", 1, 256), Load(256, 256, 1, 1, 1000)) == 0


@given(st.integers(1, 10**6), st.integers(1, 300))
def test_the_answer_is_on_the_edge(rate: int, cap: int) -> None:
    """The computed rate keeps the cap, and the next higher rate does not (unless the computed rate is the requested one)."""
    load, blocks = Load(10**8, 10**7, 2, 8, rate), Blocks("/24", 390_625, 256)
    best = caps.highest_rate(cap, blocks, load)
    assert best == 0 or caps.is_kept(cap, blocks, Load(10**8, 10**7, 2, 8, best))
    assert best == rate or not caps.is_kept(cap, blocks, Load(10**8, 10**7, 2, 8, best + 1))


@given(rate=st.integers(1, 10**5), ports=st.integers(1, 3), bits=st.integers(8, 26))
def test_the_most_is_the_smallest_cap_that_holds(rate: int, ports: int, bits: int) -> None:
    """The smallest cap is kept at the load's rate, and the next lower cap is not."""
    blocks, load = Blocks("/24", 2 ** (bits - 8), 256), Load(2**bits, 2**bits, ports, 4, rate)
    best = caps.smallest_cap(blocks, load)
    assert caps.is_kept(best, blocks, load) and not caps.is_kept(best - 1, blocks, load)


@pytest.mark.parametrize("extra", [0.01, 0.2])
def test_second_and_control_probes_are_within_the_cap(extra: float) -> None:
    """With extra probes to random targets, no /24 gets more than the cap in an hour, over several seeds."""
    ranges = Ranges.of([(0, 399_999)])
    load, blocks = Load(400_000, 400_000, 1, 1, 1000, extra), caps.slash24(ranges)
    rate = caps.highest_rate(60, blocks, load)
    assert 0 < rate < caps.highest_rate(60, blocks, Load(400_000, 400_000, 1, 1, 1000))
    for seed in range(5):
        order = Permutation.seeded(400_000, seed)
        own = Walk(Space.over(ranges), order, (104,), 400_000, 1, 10**9).targets(0, 0, 400_000)[0]
        also = np.random.default_rng(seed).random(len(own)) < extra
        sent = np.repeat(own, 1 + also)
        hour = np.arange(len(sent)) // (rate * caps.HOUR)
        assert np.unique(hour * 2**24 + (sent >> 8), return_counts=True)[1].max() <= 60


@pytest.mark.parametrize("companions", [1, 6])
def test_companion_syns_are_within_the_cap(companions: int) -> None:
    """Even if every address speaks DICOM, no /24 gets more than the cap in an hour, whenever within its limits a SYN leaves."""
    ranges = Ranges.of([(0, 399_999)])
    alone, latest = Load(400_000, 400_000, 1, 1, 1000), 1200.0
    load, blocks = replace(alone, companions=companions, companions_latest=latest), caps.slash24(ranges)
    rate = caps.highest_rate(200, blocks, load)
    assert 0 < rate < caps.highest_rate(200, blocks, alone)
    for seed in range(5):
        draw = np.random.default_rng(seed)
        own = Walk(Space.over(ranges), Permutation.seeded(400_000, seed), (104,), 400_000, 1, 10**9).targets(
            0, 0, 400_000
        )[0]
        visited = np.arange(len(own)) / rate
        late = draw.choice([0.0, latest], (companions, len(own)))
        hour = np.concatenate([visited, (visited + late).ravel()]) // caps.HOUR
        blocks_of = np.tile(own >> 8, companions + 1)
        assert np.unique(hour * 2**24 + blocks_of, return_counts=True)[1].max() <= 200


def test_a_cap_over_all_ports_lowers_nothing() -> None:
    """Where a block cannot get more than the cap if every address answers everywhere, the rate stays; one less lowers it."""
    blocks, load = Blocks("/24", 10, 256), Load(2560, 2560, 1, 1, 1000, companions=2, companions_latest=900.0)
    assert caps.highest_rate(256 * 3, blocks, load) == 1000 and caps.smallest_cap(blocks, load) == 256 * 3
    assert caps.highest_rate(256 * 3 - 1, blocks, load) < 1000
