"""Capture and recapture: two looks at the same hosts tell how many both have missed.

Holds if the looks are independent. Two SYNs from one vantage share what blocks that vantage for good, so they measure
transient loss alone; two vantages see more, and what neither can reach is in no estimate.
"""

import numpy as np
from numpy.typing import ArrayLike

from pipeline.statistics.interval import LEVEL, Interval, share
from pipeline.statistics.whole import whole


def detection(both: ArrayLike, second: ArrayLike, level: float = LEVEL) -> Interval:
    """The probability that the first look sees a host: of those that the second saw, the share that the first saw too.

    The estimate of Petersen (1896), its interval that of a share. NaN where the second look saw nothing.
    """
    return share(both, second, level)


def chapman(first: ArrayLike, second: ArrayLike, both: ArrayLike, level: float = LEVEL) -> Interval:
    """How many hosts there are, from how many each look saw and how many both did (Chapman 1951).

    The interval adds to the larger look what that one missed: of these hosts the other look saw some, and with which
    probability it sees a host, those of the larger look tell, independently. It never lies below what was seen.
    """
    n, m, both = (np.asarray(v, np.float64) for v in np.broadcast_arrays(first, second, both))
    large, small = np.maximum(n, m), np.minimum(n, m)
    missed = whole(small - both, detection(both, large, level), level)
    value = (n + 1) * (m + 1) / (both + 1) - 1
    return Interval(value, np.minimum(large + missed.low, value), np.maximum(large + missed.high, value))
