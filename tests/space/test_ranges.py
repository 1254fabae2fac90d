"""Sets of addresses against Python's own sets."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.space.ranges import Ranges, Space

SIZE = 64
#: Where the small universe lies: at both ends of the address space and across the sign bit.
OFFSETS = st.sampled_from((0, 2**31 - SIZE // 2, 2**32 - SIZE))
PAIRS = st.lists(st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)).map(sorted).map(tuple), max_size=8)


def made(pairs: list[tuple[int, int]], offset: int) -> tuple[Ranges, set[int]]:
    moved = [(first + offset, last + offset) for first, last in pairs]
    return Ranges.of(moved), {address for first, last in moved for address in range(first, last + 1)}


def members(ranges: Ranges) -> set[int]:
    return {address for first, last in ranges.pairs() for address in range(first, last + 1)}


@given(PAIRS, PAIRS, OFFSETS)
def test_algebra(one: list[tuple[int, int]], other: list[tuple[int, int]], offset: int) -> None:
    """Union, difference and intersection equal those of Python's sets."""
    a, set_a = made(one, offset)
    b, set_b = made(other, offset)
    assert members(a.union(b)) == set_a | set_b
    assert members(a.subtract(b)) == set_a - set_b
    assert members(a.intersect(b)) == set_a & set_b


@given(PAIRS, OFFSETS)
def test_canonical(pairs: list[tuple[int, int]], offset: int) -> None:
    """The ranges are sorted, with gaps between them, so equal sets have equal digests."""
    ranges, wanted = made(pairs, offset)
    assert members(ranges) == wanted and ranges.count == len(wanted)
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(ranges.pairs()))
    assert ranges.digest == Ranges.of((address, address) for address in wanted).digest


@given(PAIRS, OFFSETS)
def test_complement(pairs: list[tuple[int, int]], offset: int) -> None:
    """A set and its complement share nothing and make up the address space."""
    ranges, _ = made(pairs, offset)
    rest = ranges.complement()
    assert ranges.intersect(rest).count == 0
    assert ranges.union(rest).pairs() == [(0, 2**32 - 1)]
    assert rest.complement().pairs() == ranges.pairs()


@given(PAIRS, OFFSETS)
def test_contains(pairs: list[tuple[int, int]], offset: int) -> None:
    """Membership equals that of Python's sets, for every address of the universe."""
    ranges, wanted = made(pairs, offset)
    universe = np.arange(offset, offset + SIZE)
    assert ranges.contains(universe).tolist() == [address in wanted for address in universe.tolist()]


@given(PAIRS.filter(bool), OFFSETS)
def test_nth_and_place(pairs: list[tuple[int, int]], offset: int) -> None:
    """Counting through a space gives its addresses in numeric order, and the rank of each address is its number."""
    ranges, wanted = made(pairs, offset)
    space = Space.over(ranges)
    numbers = np.arange(space.count)
    addresses = space.nth(numbers)
    assert addresses.tolist() == sorted(wanted)
    assert space.rank(addresses).tolist() == numbers.tolist()


@given(PAIRS, PAIRS)
def test_from_arrays_as_from_pairs(pairs: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    """Two arrays give the same set as their pairs, and a union of several sets the set of all their pairs."""
    table = np.array([*pairs, *others], dtype=np.int64).reshape(-1, 2)
    covering = Ranges.covering(table[:, 0], table[:, 1]).pairs()
    assert covering == Ranges.of([*pairs, *others]).pairs()
    assert covering == Ranges.union_of([Ranges.of(pairs), Ranges.of(others)]).pairs()
    assert covering == Ranges.of(pairs).union(Ranges.of(others)).pairs()


@given(PAIRS.filter(bool), OFFSETS, st.lists(st.integers(0, 2**32 - 1)))
def test_a_space_knows_its_members(pairs: list[tuple[int, int]], offset: int, others: list[int]) -> None:
    """A space contains the members of its set, also at and next to every edge."""
    ranges, wanted = made(pairs, offset)
    edges = {edge + step for pair in ranges.pairs() for edge in pair for step in (-1, 0, 1)}
    numbers = np.array([number for number in [*others, *edges, 0, 2**32 - 1] if 0 <= number < 2**32])
    assert Space.over(ranges).contains(numbers).tolist() == [number in wanted for number in numbers.tolist()]
