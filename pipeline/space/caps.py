"""Caps on the probes that one network may get in an hour, and the highest rate that keeps them.

The order is a uniform random permutation, so an hour's probes are a sample of the targets, and how many of them fall into a
block is hypergeometric. A cap holds if its chance of being broken, in any block and any hour of the sweep, is at most
`RISK` by the Chernoff bound (Hoeffding 1963, theorem 1 and section 6: it holds for samples without replacement). All ports
of an address are visited by one shard; where that takes less than an hour, an hour's probes come in clumps of that many.
Second and control SYNs go to targets that a hash chose, independently: their number is bounded apart, at half of the risk.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from pipeline.space.ranges import Ranges

HOUR = 3600
#: The chance that a cap is broken anywhere in a sweep.
RISK = 0.001


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks that a cap speaks of: how many there are, and how many addresses of the plan the largest holds."""

    name: str
    count: int
    busiest: int


@dataclass(frozen=True, slots=True)
class Load:
    """What the sweep sends: addresses of the space, how many of them are visited, ports, shards, probes a second.

    `beside` is how many second and control SYNs a target gets on average, out of the same rate.
    """

    addresses: int
    sampled: int
    ports: int
    shards: int
    rate: int
    beside: float = 0.0

    @property
    def seconds(self) -> float:
        """How long the sending takes."""
        return self.sampled * self.ports * (1 + self.beside) / self.rate

    @property
    def hours(self) -> int:
        """Hours that have begun by its end."""
        return math.ceil(self.seconds / HOUR)


def slash24(ranges: Ranges) -> Blocks:
    """The /24 blocks of a set of addresses."""
    first, last = ranges.first >> 8, ranges.last >> 8
    # Only the two blocks at the ends of a range may be covered in part, and they may be so by several ranges.
    ends = np.concatenate([first, last[last > first]])
    at_first = np.minimum(ranges.last, (first << 8) + 255) - ranges.first + 1
    at_last = (ranges.last - (last << 8) + 1)[last > first]
    blocks, place = np.unique(ends, return_inverse=True)
    held = np.bincount(place, weights=np.concatenate([at_first, at_last]))
    between = np.maximum(last - first - 1, 0)
    busiest = 256 if between.any() else int(held.max(initial=0))
    return Blocks("/24", len(blocks) + int(between.sum()), busiest)


def per_hour(blocks: Blocks, load: Load) -> float:
    """Expected probes to the busiest block in an hour (or in the whole sweep, if that is shorter)."""
    hour = min(HOUR, load.seconds)
    return load.rate * hour * blocks.busiest / load.addresses


def holds(cap: int, blocks: Blocks, load: Load) -> bool:
    """Whether no block gets more than `cap` probes in an hour, up to `RISK`."""
    cap -= _most_beside(blocks, load)
    if blocks.busiest * load.ports <= cap:
        return True
    if cap <= 0:
        return False
    clump, own = _clump(load), per_hour(blocks, load) / (1 + load.beside)
    return _tail(own / clump, (cap + 1) / clump) * blocks.count * load.hours <= _risk(load)


def highest_rate(cap: int, blocks: Blocks, load: Load) -> int:
    """The highest rate up to the load's own at which the cap holds; 0 if one probe a second is too much."""
    low, high = 0, load.rate
    while low < high:
        middle = (low + high + 1) // 2
        if holds(cap, blocks, replace(load, rate=middle)):
            low = middle
        else:
            high = middle - 1
    return low


def most(blocks: Blocks, load: Load) -> int:
    """The smallest cap that the load's rate keeps: probes that no block gets more of in any hour, up to `RISK`."""
    low, high = 0, blocks.busiest * load.ports + _most_beside(blocks, load)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle, blocks, load) else (middle + 1, high)
    return low


def _most_beside(blocks: Blocks, load: Load) -> int:
    """Second and control SYNs that no block gets more of in an hour, up to half of the risk."""
    if not load.beside:
        return 0
    mean = per_hour(blocks, load) * load.beside / (1 + load.beside)
    most = math.floor(mean)
    while _tail(mean, most + 1) * blocks.count * load.hours > _risk(load):
        most += 1
    return most


def _risk(load: Load) -> float:
    return RISK / 2 if load.beside else RISK


def _clump(load: Load) -> int:
    """Of how many ports one address may be visited on within an hour."""
    one_pass = max(1.0, load.sampled / load.shards) / load.rate
    return min(load.ports, math.floor(HOUR / one_pass) + 1)


def _tail(mean: float, limit: float) -> float:
    """Chernoff's bound of the chance that a sum of 0/1 variables with this mean reaches `limit`."""
    if limit <= mean:
        return 1.0
    return math.exp(limit - mean + limit * math.log(mean / limit)) if mean else 0.0
