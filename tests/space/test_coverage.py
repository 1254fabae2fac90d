"""Exactly once, at reduced sizes; `make coverage` does the same over the whole Internet."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.space.permutation import Permutation
from pipeline.space.ranges import Ranges, Space
from pipeline.space.shard import Walk
from tests.space import coverage

SIZE = 4096
BLOCKS = st.lists(st.tuples(st.integers(0, SIZE - 1), st.integers(0, 300)), min_size=1, max_size=6)


def ranges_of(blocks: list[tuple[int, int]]) -> Ranges:
    return Ranges.of((first, min(first + more, SIZE - 1)) for first, more in blocks)


def walk_of(ranges: Ranges, ports: int, shards: int, range_targets: int, seed: int) -> Walk:
    space = Space.over(ranges)
    known = tuple(range(104, 104 + ports))
    return Walk(space, Permutation.seeded(space.count, seed), known, space.count, shards, range_targets)


@given(
    included=BLOCKS,
    excluded=BLOCKS,
    ports=st.sampled_from([1, 2, 3, 64]),
    shards=st.integers(1, 97),
    range_targets=st.integers(20, 500),
    seed=st.integers(0, 2**32),
)
def test_every_target_once(
    included: list[tuple[int, int]],
    excluded: list[tuple[int, int]],
    ports: int,
    shards: int,
    range_targets: int,
    seed: int,
) -> None:
    """Even if ranges are stopped and run again, each allowed address is emitted once on each port, and no blocked one ever."""
    ranges = ranges_of(included).subtract(ranges_of(excluded))
    if not ranges.count:
        return
    walk = walk_of(ranges, ports, shards, range_targets, seed)
    everything = [range_ for shard in range(shards) for range_ in walk.ranges(shard)]
    bitmaps = coverage.blank(walk, SIZE)
    *_, state = coverage.walk_through(walk, everything, seed, bitmaps)
    assert list(coverage.faults(walk, bitmaps, state.targets, SIZE)) == []


def test_stops_happen() -> None:
    """Some ranges are stopped midway, and the targets that they had emitted are counted apart."""
    walk = walk_of(Ranges.of([(0, SIZE - 1)]), 2, 7, 50, 1)
    everything = [range_ for shard in range(7) for range_ in walk.ranges(shard)]
    *_, state = coverage.walk_through(walk, everything, 1, coverage.blank(walk, SIZE))
    assert state.targets == 2 * SIZE and state.abandoned > 0


@pytest.mark.parametrize("fault", ["missing", "doubled", "forbidden"])
def test_faults_are_reported(fault: str) -> None:
    """A target that is missing, emitted twice or not of the plan is reported."""
    walk = walk_of(Ranges.of([(8, 1000)]), 1, 3, 50, 1)
    everything = [range_ for shard in range(3) for range_ in walk.ranges(shard)]
    bitmaps = coverage.blank(walk, SIZE)
    given_ = (
        everything[1:] if fault == "missing" else [*everything, everything[0]] if fault == "doubled" else everything
    )
    *_, state = coverage.walk_through(walk, given_, 1, bitmaps)
    if fault == "forbidden":
        bitmaps[0][2000 // 8] |= np.uint8(1)
    assert list(coverage.faults(walk, bitmaps, state.targets, SIZE))
