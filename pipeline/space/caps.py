"""Caps on the probes that one network may get in an hour, and the highest rate that keeps them.

The order is a uniform random permutation, so the probes of an hour are a sample of the targets, and the number of them in one
block is hypergeometric. A cap is kept if the probability of exceeding it, in any block and any hour of the sweep, is at most
`RISK` by the Chernoff bound (Hoeffding 1963, theorem 1 and section 6: it also applies to samples without replacement). One
shard visits all ports of an address. Where that takes less than an hour, an hour's probes come in clumps of that many ports.
Second and control SYNs go to targets that a hash selects independently. Their number is bounded separately, at half
the risk. Companion SYNs follow a visit to their address, and the bound holds even if every address speaks DICOM: each address
that is visited in an hour, or so shortly before that its companion SYNs may be late, counts with all of them.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from pipeline.space.ranges import Ranges

HOUR = 3600
#: The probability that a cap is exceeded anywhere in a sweep.
RISK = 0.001


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks that a cap applies to: their number, and how many addresses of the plan are in the largest one."""

    name: str
    count: int
    largest: int


@dataclass(frozen=True, slots=True)
class Load:
    """What the sweep sends: addresses in the space, addresses in the sample, ports, shards, probes a second.

    `extra` is the number of second and control SYNs that a target gets on average, within the same rate.
    """

    addresses: int
    sampled: int
    ports: int
    shards: int
    rate: int
    extra: float = 0.0
    companions: int = 0
    """The number of companion SYNs to an address that speaks DICOM."""
    companions_latest: float = 0.0
    """Seconds from a visit to the last of them, at most."""

    @property
    def seconds(self) -> float:
        """The duration of the sending."""
        return self.sampled * self.ports * (1 + self.extra) / self.rate

    @property
    def hours(self) -> int:
        """The number of hours that the sending takes, rounded up."""
        return math.ceil(self.seconds / HOUR)


def slash24(ranges: Ranges) -> Blocks:
    """The /24 blocks of a set of addresses."""
    first, last = ranges.first >> 8, ranges.last >> 8
    # Only the blocks at both ends of a range may be covered in part, and several ranges may share such a block.
    ends = np.concatenate([first, last[last > first]])
    at_first = np.minimum(ranges.last, (first << 8) + 255) - ranges.first + 1
    at_last = (ranges.last - (last << 8) + 1)[last > first]
    blocks, number = np.unique(ends, return_inverse=True)
    addresses = np.bincount(number, weights=np.concatenate([at_first, at_last]))
    between = np.maximum(last - first - 1, 0)
    largest = 256 if between.any() else int(addresses.max(initial=0))
    return Blocks("/24", len(blocks) + int(between.sum()), largest)


def per_hour(blocks: Blocks, load: Load) -> float:
    """Expected probes to the largest block in an hour (or in the whole sweep, if that is shorter)."""
    return _probed_in(HOUR, blocks, load)


def _probed_in(seconds: float, blocks: Blocks, load: Load) -> float:
    """Expected probes to the largest block in this time, without companion SYNs."""
    return load.rate * min(seconds, load.seconds) * blocks.largest / load.addresses


def is_kept(cap: int, blocks: Blocks, load: Load) -> bool:
    """Whether no block gets more than `cap` probes in an hour, except with probability `RISK`."""
    cap -= _most_extra(blocks, load)
    if blocks.largest * (load.ports + load.companions) <= cap:
        return True
    if cap <= 0:
        return False
    clump, planned = _clump(load), _probed_in(HOUR + load.companions_latest, blocks, load) / (1 + load.extra)
    return _tail(planned / clump, (cap + 1) / (clump + load.companions)) * blocks.count * load.hours <= _risk(load)


def highest_rate(cap: int, blocks: Blocks, load: Load) -> int:
    """The highest rate, up to the load's, that keeps the cap; 0 if one probe a second is too many."""
    low, high = 0, load.rate
    while low < high:
        middle = (low + high + 1) // 2
        if is_kept(cap, blocks, replace(load, rate=middle)):
            low = middle
        else:
            high = middle - 1
    return low


def smallest_cap(blocks: Blocks, load: Load) -> int:
    """The smallest cap that the load keeps: no block gets more probes in any hour, except with probability `RISK`."""
    low, high = 0, blocks.largest * (load.ports + load.companions) + _most_extra(blocks, load)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if is_kept(middle, blocks, load) else (middle + 1, high)
    return low


def _most_extra(blocks: Blocks, load: Load) -> int:
    """The most second and control SYNs that a block gets in an hour, except with half of the risk."""
    if not load.extra:
        return 0
    mean = per_hour(blocks, load) * load.extra / (1 + load.extra)
    count = math.floor(mean)
    while _tail(mean, count + 1) * blocks.count * load.hours > _risk(load):
        count += 1
    return count


def _risk(load: Load) -> float:
    return RISK / 2 if load.extra else RISK


def _clump(load: Load) -> int:
    """The number of ports of one address that may be visited within an hour."""
    one_pass = max(1.0, load.sampled / load.shards) / load.rate
    return min(load.ports, math.floor(HOUR / one_pass) + 1)


def _tail(mean: float, limit: float) -> float:
    """The Chernoff bound of the probability that a sum of 0/1 variables with this mean reaches `limit`."""
    if limit <= mean:
        return 1.0
    return math.exp(limit - mean + limit * math.log(mean / limit)) if mean else 0.0
