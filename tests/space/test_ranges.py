"""Sets of addresses against Python's own sets."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.space.ranges import Ranges, Space, parse, parse_lines

SIZE = 64
#: Where the small universe lies: at both ends of the address space and across the sign bit.
OFFSETS = st.sampled_from((0, 2**31 - SIZE // 2, 2**32 - SIZE))
PAIRS = st.lists(st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)).map(sorted).map(tuple), max_size=8)


def made(pairs: list[tuple[int, int]], offset: int) -> tuple[Ranges, set[int]]:
    moved = [(first + offset, last + offset) for first, last in pairs]
    return Ranges.of(moved), {address for first, last in moved for address in range(first, last + 1)}


def members(ranges: Ranges) -> set[int]:
    return {address for first, last in ranges.pairs() for address in range(first, last + 1)}


@settings(deadline=None)
@given(PAIRS, PAIRS, OFFSETS)
def test_algebra(one: list[tuple[int, int]], other: list[tuple[int, int]], offset: int) -> None:
    """Union, difference and intersection are those of Python's sets."""
    a, set_a = made(one, offset)
    b, set_b = made(other, offset)
    assert members(a.union(b)) == set_a | set_b
    assert members(a.subtract(b)) == set_a - set_b
    assert members(a.intersect(b)) == set_a & set_b


@settings(deadline=None)
@given(PAIRS, OFFSETS)
def test_canonical(pairs: list[tuple[int, int]], offset: int) -> None:
    """The ranges are sorted, with gaps between them, so equal sets have equal digests."""
    ranges, wanted = made(pairs, offset)
    assert members(ranges) == wanted and ranges.count == len(wanted)
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(ranges.pairs()))
    assert ranges.digest == Ranges.of((address, address) for address in wanted).digest


@settings(deadline=None)
@given(PAIRS, OFFSETS)
def test_complement(pairs: list[tuple[int, int]], offset: int) -> None:
    """A set and its complement share nothing and make up the address space."""
    ranges, _ = made(pairs, offset)
    rest = ranges.complement()
    assert ranges.intersect(rest).count == 0
    assert ranges.union(rest).pairs() == [(0, 2**32 - 1)]
    assert rest.complement().pairs() == ranges.pairs()


@settings(deadline=None)
@given(PAIRS, OFFSETS)
def test_contains(pairs: list[tuple[int, int]], offset: int) -> None:
    """Membership is that of Python's sets, for every address of the universe."""
    ranges, wanted = made(pairs, offset)
    universe = np.arange(offset, offset + SIZE)
    assert ranges.contains(universe).tolist() == [address in wanted for address in universe.tolist()]


@settings(deadline=None)
@given(PAIRS.filter(bool), OFFSETS)
def test_nth_and_place(pairs: list[tuple[int, int]], offset: int) -> None:
    """Counting through a space gives its addresses in numeric order, and each one's place is its number."""
    ranges, wanted = made(pairs, offset)
    space = Space.over(ranges)
    numbers = np.arange(space.count)
    addresses = space.nth(numbers)
    assert addresses.tolist() == sorted(wanted)
    assert space.place(addresses).tolist() == numbers.tolist()


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("0.0.0.0/0", (0, 2**32 - 1)),
        ("0.0.1.0/24", (256, 511)),
        ("0.0.0.7", (7, 7)),
        ("0.0.0.7 - 0.0.0.9", (7, 9)),
        ("255.255.255.255", (2**32 - 1, 2**32 - 1)),
    ],
)
def test_parse(text: str, pair: tuple[int, int]) -> None:
    """Blocks, ranges and addresses are read with both their ends."""
    assert parse(text, "here") == pair


@pytest.mark.parametrize(
    "text", ["1.2.3.4/24", "1.2.3.0/33", "1.2.3", "1.2.3.9-1.2.3.4", "-", "::1", "example.org", "1.2.3.256"]
)
def test_parse_errors_name_the_line(text: str) -> None:
    """What is no block is refused with its list, its line and its text."""
    with pytest.raises(InputError) as caught:
        parse_lines(["# a comment", "", "0.0.0.1  # one", text], "list.txt")
    assert caught.value.where == "list.txt, line 4"
    assert repr(text) in caught.value.reason


def test_comments_and_blank_lines() -> None:
    """Comments and blank lines put nothing into a list."""
    assert parse_lines(["# a comment", "", "  ", "0.0.0.1  # one", "0.0.0.2"], "list.txt").pairs() == [(1, 2)]
