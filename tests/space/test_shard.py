"""Shards and ranges: every target once, and the way back from a target to its place."""

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.space.permutation import Permutation
from pipeline.space.ranges import Ranges, Space
from pipeline.space.shard import Walk

BLOCKS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 8)), min_size=1, max_size=5)


@st.composite
def walks(draw: st.DrawFn) -> Walk:
    base = draw(st.sampled_from((0, 2**31 - 20, 2**32 - 60)))
    ranges = Ranges.of((base + first, base + first + more) for first, more in draw(BLOCKS))
    return Walk(
        space=Space.over(ranges),
        permutation=Permutation.seeded(ranges.count, draw(st.integers(0, 2**32))),
        ports=tuple(draw(st.lists(st.integers(1, 65535), min_size=1, max_size=4, unique=True))),
        addresses=draw(st.integers(1, ranges.count)),
        shards=draw(st.integers(1, 80)),
        range_targets=draw(st.integers(1, 50)),
    )


def visits(walk: Walk) -> list[tuple[int, int, int, int]]:
    """Shard, local index, address and port of every probe, in the order of sending."""
    targets = []
    for shard in range(walk.shards):
        for part in walk.ranges(shard):
            local = range(part.first_index, part.last_index + 1)
            addresses, ports = walk.targets(shard, local.start, local.stop)
            targets += [(shard, *row) for row in zip(local, addresses.tolist(), ports.tolist(), strict=True)]
    return targets


@given(walks())
def test_each_target_once(walk: Walk) -> None:
    """All ranges of all shards together contain each sampled address exactly once on each port, and nothing else."""
    counts = Counter((address, port) for _, _, address, port in visits(walk))
    assert set(counts.values()) == {1}
    addresses = {address for address, _ in counts}
    assert len(addresses) == walk.addresses and len(counts) == walk.addresses * len(walk.ports)
    assert {port for _, port in counts} == set(walk.ports)
    assert walk.space.ranges.contains(np.array(sorted(addresses))).all()


@given(walks(), st.data())
def test_targets_at_indices(walk: Walk, draw: st.DataObject) -> None:
    """The targets at any local indices of a shard are those that are probed there."""
    shard = draw.draw(st.integers(0, walk.shards - 1))
    probed = [visit[1:] for visit in visits(walk) if visit[0] == shard]
    chosen = draw.draw(st.lists(st.sampled_from(probed))) if probed else []
    addresses, ports = walk.at(shard, np.array([local for local, *_ in chosen], dtype=np.int64))
    assert list(zip(addresses.tolist(), ports.tolist(), strict=True)) == [(ip, port) for _, ip, port in chosen]


@given(walks())
def test_shard_count_changes_no_target(walk: Walk) -> None:
    """However many shards there are, the same addresses are visited."""
    whole = Walk(walk.space, walk.permutation, walk.ports, walk.addresses, 1, 1000)
    assert {visit[2:] for visit in visits(walk)} == {visit[2:] for visit in visits(whole)}


@given(walks())
def test_locate_is_the_inverse(walk: Walk) -> None:
    """The place of a target is its position in the order."""
    shard, local, addresses, ports = np.array(visits(walk), dtype=np.int64).T
    located_shard, located_local = walk.locate(addresses.astype(np.uint32), ports.astype(np.uint16))
    assert np.array_equal(located_shard, shard)
    assert np.array_equal(located_local, local)


@given(walks(), st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 65535)), max_size=20))
def test_locate_knows_strangers(walk: Walk, strangers: list[tuple[int, int]]) -> None:
    """Excluded addresses, unsampled addresses and other ports have no place."""
    space = walk.space.nth(np.arange(walk.space.count)).tolist()
    pairs = strangers + [(address, walk.ports[0]) for address in space]
    visited = {visit[2:] for visit in visits(walk)}
    addresses, ports = (np.array(column) for column in zip(*pairs, strict=True))
    shard, local = walk.locate(addresses.astype(np.uint32), ports.astype(np.uint16))
    assert ((shard >= 0) == np.array([pair in visited for pair in pairs])).all()
    assert np.array_equal(shard < 0, local < 0)


@given(walks())
def test_ranges_tile_the_shard(walk: Walk) -> None:
    """A shard's ranges are numbered in order and leave no gap, and only the last range may be short."""
    for shard in range(walk.shards):
        parts = list(walk.ranges(shard))
        assert walk.range_counts[shard] == len(parts)
        first, end = walk.bounds(shard)
        assert [part.number for part in parts] == list(range(len(parts)))
        assert sum(part.length for part in parts) == (end - first) * len(walk.ports)
        assert all(part.length == walk.range_targets for part in parts[:-1])
        assert all(a.last_index + 1 == b.first_index for a, b in pairwise(parts))
