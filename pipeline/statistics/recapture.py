"""Capture and recapture: an estimate of the hosts that two independent looks at the same hosts both missed.

The looks must be independent. Two SYNs from one vantage share whatever permanently blocks that vantage, so they measure
only transient loss. Two vantages detect more; hosts that neither can reach are in no estimate.
"""

import numpy as np
from numpy.typing import ArrayLike

from pipeline.statistics.abundance import abundance
from pipeline.statistics.interval import LEVEL, Interval, share


def detection(both: ArrayLike, second: ArrayLike, level: float = LEVEL) -> Interval:
    """The probability that the first look detects a host: its share of the hosts that the second look detected.

    Petersen's estimate (1896), with the interval of a share. NaN if the second look detected nothing.
    """
    return share(both, second, level)


def chapman(first: ArrayLike, second: ArrayLike, both: ArrayLike, level: float = LEVEL) -> Interval:
    """The number of hosts, from the numbers detected by each look and by both (Chapman 1951).

    The interval adds to the larger look the hosts that it missed. Of these the other look detected some, and its detection
    probability is estimated independently from the hosts of the larger look. The interval is never below the number seen.
    """
    n, m, both = (np.asarray(v, np.float64) for v in np.broadcast_arrays(first, second, both))
    large, small = np.maximum(n, m), np.minimum(n, m)
    missed = abundance(small - both, detection(both, large, level), level)
    value = (n + 1) * (m + 1) / (both + 1) - 1
    return Interval(value, np.minimum(large + missed.low, value), np.maximum(large + missed.high, value))
