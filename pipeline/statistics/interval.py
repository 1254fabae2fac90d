"""Estimates with confidence intervals, and the exact interval of a share."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from pipeline.statistics import beta
from pipeline.statistics.root import Floats

LEVEL = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """Estimates and their lower and upper ends, arrays of one shape; NaN where the data allow no estimate."""

    value: Floats
    low: Floats
    high: Floats


def tail(level: float = LEVEL) -> float:
    """The probability outside each end of a two-sided interval."""
    return (1 - level) / 2


def z(level: float = LEVEL) -> float:
    """The normal quantile of a two-sided interval: 1.96 at 95 %."""
    return NormalDist().inv_cdf(1 - tail(level))


def share(k: ArrayLike, n: ArrayLike, level: float = LEVEL) -> Interval:
    """The share of k in n trials, with the exact interval of Clopper and Pearson (1934).

    Without trials the estimate is NaN and the interval from 0 to 1.
    """
    k, n = (np.asarray(v, np.float64) for v in np.broadcast_arrays(k, n))
    low = beta.quantile(tail(level), np.maximum(k, 1), n - k + 1)
    high = beta.quantile(1 - tail(level), k + 1, np.maximum(n - k, 1))
    value = np.divide(k, n, out=np.full(k.shape, np.nan), where=n > 0)
    return Interval(value, np.where(k > 0, low, 0.0), np.where(k < n, high, 1.0))


def certain(value: ArrayLike) -> Interval:
    """A known number as an interval of width 0."""
    known = np.asarray(value, np.float64)
    return Interval(known, known, known)
