"""Abundance: how many there are, if each is detected with a known or estimated probability, by sampling and loss.

A sweep that visits the share f of its space and detects with probability d what is there detects each service with
probability q = f·d. Its count is then binomial with an unknown number of trials K. The interval has every K for which the
count is not rarer than the level allows. With q = 1 it is the count itself, so no finite-population correction is needed.
(Sampling without replacement is hypergeometric; the binomial, a little wider, is its limit for rare services.)
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from pipeline.statistics import beta
from pipeline.statistics.interval import LEVEL, Interval, certain, tail, z
from pipeline.statistics.root import Floats, root


def abundance(count: ArrayLike, detection: Interval | ArrayLike, level: float = LEVEL) -> Interval:
    """The total of which `count` were detected; `detection` is the probability, in (0, 1], as an interval if estimated.

    Both uncertainties are combined on the logarithmic scale (the MOVER of Donner and Zou 2012). For a count of 0, the upper
    end is that of the lowest probability. The estimate is count / detection.
    """
    detection = detection if isinstance(detection, Interval) else certain(detection)
    k, value, low, high = (
        np.asarray(v, np.float64) for v in np.broadcast_arrays(count, detection.value, detection.low, detection.high)
    )
    fewest, most = _fewest(k, value, level), _most(k, value, level)
    estimate = k / value
    with np.errstate(divide="ignore", invalid="ignore"):
        below = np.hypot(np.log(estimate / fewest), np.log(high / value))
        above = np.hypot(np.log(most / estimate), np.log(value / low))
        combined_low = np.where(high > value, estimate * np.exp(-below), fewest)
        combined_high = np.where(low < value, estimate * np.exp(above), most)
    high_if_none = _most(k, low, level)
    return Interval(
        estimate,
        np.maximum(k, np.where(k > 0, combined_low, 0)),
        np.where(k > 0, combined_high, high_if_none),
    )


def _fewest(k: Floats, q: Floats, level: float) -> Floats:
    """The smallest integer K for which k or more has a probability above the tail."""
    root = _solve(k, q, lambda n, k, q: beta.at_least(k, n, q) - tail(level))
    return np.asarray(np.maximum(k, np.ceil(root - 1e-9)))


def _most(k: Floats, q: Floats, level: float) -> Floats:
    """The largest integer K for which k or fewer has a probability above the tail."""
    root = _solve(k, q, lambda n, k, q: tail(level) - beta.at_most(k, n, q))
    return np.asarray(np.maximum(k, np.ceil(root - 1e-9) - 1))


def _solve(k: Floats, q: Floats, excess: Callable[..., Floats]) -> Floats:
    """The real number of trials from which an increasing function is above 0."""
    width = z(1 - 1e-9)
    return root(excess, k, (k + 20 + 3 * width * np.sqrt(k + 20)) / q, k, q)
