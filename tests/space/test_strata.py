"""The strata of a target space: what each has, and which /24s are drawn."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.space import strata
from pipeline.space.ranges import Ranges

pairs = st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 900)).map(lambda p: (p[0], p[0] + p[1])), min_size=1)
seeds, shares = st.integers(0, 2**32), st.floats(0, 1)


def addresses(ranges: Ranges) -> set[int]:
    """All addresses of a set."""
    return {n for first, last in ranges.pairs() for n in range(first, last + 1)}


@given(pairs)
def test_slash24s_are_those_of_the_addresses(covered: list[tuple[int, int]]) -> None:
    """A set has the /24s that its addresses are in, each once, in order."""
    ranges = Ranges.of(covered)
    assert strata.slash24s(ranges).tolist() == sorted({number >> 8 for number in addresses(ranges)})


def test_the_last_slash24_of_the_space() -> None:
    """The whole address space has 2^24 /24s, and the empty set none."""
    numbers = strata.slash24s(Ranges.of([(0, 2**32 - 1)]))
    assert (len(numbers), numbers[0], numbers[-1]) == (2**24, 0, 2**24 - 1)
    assert len(strata.slash24s(Ranges.of(()))) == 0


@given(pairs, st.sets(st.integers(0, 21_000)), shares, seeds)
def test_strata_divide_the_space(covered: list[tuple[int, int]], found: set[int], share: float, seed: int) -> None:
    """Known are all addresses in /24s with a service; drawn are other /24s of the space in full, as many as the share says."""
    space, services = Ranges.of(covered), Ranges.of((n, n) for n in found)
    parts = strata.split(space, services, share, seed)
    inside, inhabited = addresses(space), {number >> 8 for number in found}
    assert addresses(parts.known) == {number for number in inside if number >> 8 in inhabited}
    drawn = {number >> 8 for number in addresses(parts.drawn)}
    assert addresses(parts.drawn) == {number for number in inside if number >> 8 in drawn}
    others = {number >> 8 for number in inside} - inhabited
    assert drawn <= others and len(drawn) == parts.sampled == round(share * len(others))
    assert (parts.known_slash24s, parts.others) == (len({n >> 8 for n in inside} & inhabited), len(others))


@given(st.sets(st.integers(0, 299), max_size=20), seeds)
def test_an_opt_out_changes_little_of_the_draw(gone: set[int], seed: int) -> None:
    """Without some /24s, the others are drawn as before: each that was drawn stays, unless the sample is smaller by then."""
    space = Ranges.of([(0, 300 * 256 - 1)])
    later = space.subtract(Ranges.of((n * 256, n * 256 + 255) for n in gone))
    before, after = (
        set(strata.slash24s(strata.split(part, Ranges.of(()), 0.3, seed).drawn).tolist()) for part in (space, later)
    )
    assert len(before - gone - after) <= max(0, len(before - gone) - len(after))
    assert len(after - before) <= len(gone & before)


def test_each_slash24_is_drawn_as_often_as_the_share_says() -> None:
    """Over 2,000 seeds each of 100 /24s, and each pair of neighbours, is drawn as often as in a random sample without replacement."""
    space = Ranges.of([(5 << 24, (5 << 24) + 100 * 256 - 1)])
    drawn = np.zeros((2000, 100))
    for seed in range(2000):
        numbers = strata.slash24s(strata.split(space, Ranges.of(()), 0.2, seed).drawn)
        drawn[seed, numbers - (5 << 16)] = 1
    assert (drawn.sum(axis=1) == 20).all()
    alone, pairs_ = drawn.mean(axis=0), (drawn[:, 1:] * drawn[:, :-1]).mean(axis=0)
    both = 0.2 * 19 / 99
    for share, expected in ((alone, 0.2), (pairs_, both)):
        z = (share - expected) / np.sqrt(expected * (1 - expected) / 2000)
        assert abs(z).max() < 4.5 and 0.6 < np.square(z).mean() < 1.5
