"""How many there are, when each one is seen with a known or estimated probability: sampling and loss alike.

A sweep that visits the share f of its space and loses 1 - d of what is there sees each service with probability
q = f·d. What it counts is then binomial with an unknown number of trials K, and the interval holds each K that makes the
count no rarer than the level allows. With q = 1 it is the count itself: no finite-population correction is needed.
(Sampling without replacement is hypergeometric; the binomial, a little wider, is its limit for rare services.)
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.statistics import beta
from pipeline.statistics.beta import Floats
from pipeline.statistics.interval import LEVEL, Interval, certain, tail, z


def whole(count: ArrayLike, seen: Interval | ArrayLike, level: float = LEVEL) -> Interval:
    """The number of which `count` were seen, given the probability to be seen (in (0, 1]), an interval if estimated.

    Both uncertainties are joined on the logarithmic scale (the MOVER of Donner and Zou 2012); for a count of none, the
    upper end is that of the least probability. The estimate is count / seen.
    """
    seen = seen if isinstance(seen, Interval) else certain(seen)
    k, value, low, high = (
        np.asarray(v, np.float64) for v in np.broadcast_arrays(count, seen.value, seen.low, seen.high)
    )
    fewest, most = _fewest(k, value, level), _most(k, value, level)
    estimate = k / value
    with np.errstate(divide="ignore", invalid="ignore"):
        below = np.hypot(np.log(estimate / fewest), np.log(high / value))
        above = np.hypot(np.log(most / estimate), np.log(value / low))
        joined_low = np.where(high > value, estimate * np.exp(-below), fewest)
        joined_high = np.where(low < value, estimate * np.exp(above), most)
    unlucky = _most(k, low, level)
    return Interval(
        estimate,
        np.maximum(k, np.where(k > 0, joined_low, 0)),
        np.where(k > 0, joined_high, unlucky),
    )


def _fewest(k: Floats, q: Floats, level: float) -> Floats:
    """The least whole K that gives k or more with probability above the tail."""
    root = _solve(k, q, lambda n: beta.at_least(k, n, q) > tail(level))
    return np.asarray(np.maximum(k, np.ceil(root - 1e-9)))


def _most(k: Floats, q: Floats, level: float) -> Floats:
    """The greatest whole K that gives k or fewer with probability above the tail."""
    root = _solve(k, q, lambda n: beta.at_most(k, n, q) <= tail(level))
    return np.asarray(np.maximum(k, np.ceil(root - 1e-9) - 1))


def _solve(k: Floats, q: Floats, reached: Callable[[Floats], NDArray[np.bool_]]) -> Floats:
    """The real number of trials from which on a condition that is monotone in it holds, by bisection."""
    width = z(1 - 1e-9)
    low, high = k.copy(), (k + 20 + 3 * width * np.sqrt(k + 20)) / q
    for _ in range(60):
        middle = (low + high) / 2
        yes = reached(middle)
        low, high = np.where(yes, low, middle), np.where(yes, middle, high)
    return (low + high) / 2
