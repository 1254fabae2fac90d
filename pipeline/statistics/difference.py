"""Two independent shares, and how far they lie apart."""

import numpy as np
from numpy.typing import ArrayLike

from pipeline.statistics.interval import LEVEL, Interval, share


def difference(k: ArrayLike, n: ArrayLike, base_k: ArrayLike, base_n: ArrayLike, level: float = LEVEL) -> Interval:
    """The share that k of n trials speak for, less that of base_k of base_n.

    The ends join those of the two exact intervals as squares (Newcombe 1998, method 10, with Clopper's and Pearson's ends for
    Wilson's: it covers at least as often as it says where it matters, few events in many trials). Without trials on either side
    it is NaN, from -1 to 1.
    """
    one, base = share(k, n, level), share(base_k, base_n, level)
    value = one.value - base.value
    below = np.hypot(one.value - one.low, base.high - base.value)
    above = np.hypot(one.high - one.value, base.value - base.low)
    known = ~np.isnan(value)
    return Interval(
        value,
        np.where(known, np.maximum(value - below, -1.0), -1.0),
        np.where(known, np.minimum(value + above, 1.0), 1.0),
    )
