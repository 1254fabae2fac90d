"""An exact test whether a rate has fallen, from two counts of rare hits, and where the fall began."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from pipeline.statistics import beta
from pipeline.statistics.root import Floats

#: How many times less likely an earlier change point may be and still counts: as far as a 98 % interval reaches.
DOUBT = 20.0


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


def fall_began(hits: Sequence[int], probes: Sequence[int], window: int) -> int:
    """The earliest range at which a fall may have begun that the last `window` ranges show, from counts of ranges in their order.

    It is the change point of greatest likelihood (Page 1954), or any earlier one whose likelihood is at most DOUBT times smaller.
    The rate before is that of the ranges before the window, and the rate after that of the window.
    """
    k, n = np.asarray(hits, np.float64), np.asarray(probes, np.float64)
    before = (k[:-window].sum() + 0.5) / (n[:-window].sum() + 1)
    after = min((k[-window:].sum() + 0.5) / (n[-window:].sum() + 1), before)
    gain = k * np.log(after / before) + (n - k) * np.log((1 - after) / (1 - before))
    since = np.cumsum(gain[::-1])[::-1]
    return int(np.flatnonzero(since >= since.max() - np.log(DOUBT))[0])
