"""The difference of two independent shares."""

import numpy as np
from numpy.typing import ArrayLike

from pipeline.statistics.interval import LEVEL, Interval, share


def repeated(looks: int, level: float = LEVEL) -> float:
    """The level of the last of so many intervals, each over all that was known by then, so that all cover together at `level`.

    The k-th misses with at most (1 - level) / k (k + 1), and these add up to no more than 1 - level, however many there will be
    (Bonferroni). Without it a test a week at 2.5 % one-sided is wrong once a year with 73 %.
    """
    return 1 - (1 - level) / (looks * (looks + 1))


def difference(k: ArrayLike, n: ArrayLike, base_k: ArrayLike, base_n: ArrayLike, level: float = LEVEL) -> Interval:
    """The share of k in n trials minus that of base_k in base_n.

    The ends combine those of the two exact intervals by root sum of squares (Newcombe 1998, method 10, but with the ends of
    Clopper and Pearson instead of Wilson: its coverage is at least nominal for few events in many trials). Without trials on
    either side it is NaN, from -1 to 1.
    """
    first, base = share(k, n, level), share(base_k, base_n, level)
    value = first.value - base.value
    below = np.hypot(first.value - first.low, base.high - base.value)
    above = np.hypot(first.high - first.value, base.value - base.low)
    known = ~np.isnan(value)
    return Interval(
        value,
        np.where(known, np.maximum(value - below, -1.0), -1.0),
        np.where(known, np.minimum(value + above, 1.0), 1.0),
    )
