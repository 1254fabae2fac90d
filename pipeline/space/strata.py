"""Strata of a target space: the /24s where services were, and a random sample of all other /24s.

The first stratum is probed in full, the second by a sample of whole /24s without replacement (Cochran 1977, ch. 9A: clusters of
unequal size, drawn with equal probability). A keyed permutation gives each /24 of the Internet a number of its own, and those with
the smallest numbers are drawn (permanent random numbers, Ohlsson 1995). So the draw is the same in each sweep with the same seed, and
a /24 that is opted out changes one place of it.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.space.permutation import Permutation
from pipeline.space.ranges import U32, Ranges

#: The /24s of the IPv4 address space.
SLASH24S = 1 << 24


@dataclass(frozen=True, slots=True, eq=False)
class Strata:
    """The addresses of both strata that are probed, and how many /24s the second stratum has and gives."""

    known: Ranges
    drawn: Ranges
    known_slash24s: int
    others: int
    sampled: int


def slash24s(ranges: Ranges) -> U32:
    """The numbers of the /24s that a set has addresses in, each once, sorted."""
    first, last = ranges.first >> 8, ranges.last >> 8
    first = np.maximum(first, np.concatenate(([-1], last[:-1])) + 1)  # the range before may end in the same /24
    lengths = np.maximum(last - first + 1, 0)
    before = np.cumsum(lengths) - lengths
    numbers: U32 = (np.arange(lengths.sum()) + np.repeat(first - before, lengths)).astype(np.uint32)
    return numbers


def split(space: Ranges, earlier: Ranges, sample: float, seed: int) -> Strata:
    """Split a target space by the /24s of earlier services, and draw `sample` of all other /24s."""
    blocks = slash24s(space)
    was_there = np.isin(blocks, slash24s(earlier))
    known, others = blocks[was_there], blocks[~was_there]
    count = round(sample * len(others))
    order = Permutation.seeded(SLASH24S, seed).forward(others)
    drawn = others[np.argsort(order, kind="stable")[:count]]
    return Strata(_within(space, known), _within(space, drawn), len(known), len(others), count)


def _within(space: Ranges, blocks: U32) -> Ranges:
    """The addresses of a space that are in these /24s."""
    first = blocks.astype(np.int64) << 8
    return Ranges.covering(first, first + 255).intersect(space)
