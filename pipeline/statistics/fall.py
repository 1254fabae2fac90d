"""Has a rate fallen? An exact test of two counts of rare hits, and how often a watch that repeats it may be wrong."""

import numpy as np
from numpy.typing import ArrayLike

from pipeline.statistics import beta
from pipeline.statistics.beta import Floats


def fallen(
    hits: ArrayLike, probes: ArrayLike, hits_before: ArrayLike, probes_before: ArrayLike, *, to: float = 1.0
) -> Floats:
    """The probability of so few hits in so many probes, if the rate is still `to` times (or more) the rate before.

    Given the sum of both counts, the later one is binomial (Przyborowski and Wilenski 1940): its share is that of the probes,
    weighted by `to`. Hits of a random sample are at most as scattered as that takes them to be. 1 where nothing was hit before.
    """
    k, n, base, m = (np.asarray(v, np.float64) for v in np.broadcast_arrays(hits, probes, hits_before, probes_before))
    weight = to * n
    share = np.divide(weight, weight + m, out=np.ones(k.shape), where=weight + m > 0)
    return beta.at_most(k, k + base, share)
