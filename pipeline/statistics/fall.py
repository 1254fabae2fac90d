"""An exact test whether a rate has fallen, from two counts of rare hits."""

import numpy as np
from numpy.typing import ArrayLike

from pipeline.statistics import beta
from pipeline.statistics.beta import Floats


def rate_fall_p_value(
    hits: ArrayLike, probes: ArrayLike, hits_before: ArrayLike, probes_before: ArrayLike, *, to: float = 1.0
) -> Floats:
    """The probability of at most `hits` hits in `probes` probes, if the rate is still at least `to` times the rate before.

    Given the sum of both counts, the later one is binomial (Przyborowski and Wilenski 1940), with the share of its probes,
    weighted by `to`, as probability. Hits of a random sample vary at most as much as this assumes. 1 if there were no hits
    before.
    """
    k, n, base, m = (np.asarray(v, np.float64) for v in np.broadcast_arrays(hits, probes, hits_before, probes_before))
    weight = to * n
    share = np.divide(weight, weight + m, out=np.ones(k.shape), where=weight + m > 0)
    return beta.at_most(k, k + base, share)
