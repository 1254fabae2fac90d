"""The regularised incomplete beta function, the basis of exact intervals of binomial counts."""

import numpy as np
from numpy.typing import ArrayLike

from pipeline.statistics.root import Floats, root

#: Lanczos' series for the gamma function (g = 7, nine terms), good to 1e-14.
LANCZOS = (
    0.99999999999980993,
    676.5203681218851,
    -1259.1392167224028,
    771.32342877765313,
    -176.61502916214059,
    12.507343278686905,
    -0.13857109526572012,
    9.9843695780195716e-6,
    1.5056327351493116e-7,
)
#: The continued fraction needs about sqrt(max(a, b)) steps; this is enough for counts up to 10^8.
MAX_STEPS = 20_000
PRECISION = 1e-14
#: How many steps are prepared at once; most counts need 5 to 20.
STEPS = 4
TINY = 1e-300


def cdf(x: ArrayLike, a: ArrayLike, b: ArrayLike) -> Floats:
    """The probability that a beta variable of shape (a, b), both above 0, is at most x in [0, 1]; arrays broadcast."""
    x, a, b = (np.asarray(v, np.float64) for v in np.broadcast_arrays(x, a, b))
    return _cdf(x, a, b, _log_beta(a, b))


def _cdf(x: Floats, a: Floats, b: Floats, log_beta: Floats) -> Floats:
    swap = x > (a + 1) / (a + b + 2)
    y, p, q = np.where(swap, 1 - x, x), np.where(swap, b, a), np.where(swap, a, b)
    with np.errstate(divide="ignore"):
        front = p * np.log(y) + q * np.log1p(-y) - log_beta
    tail = np.where(y > 0, np.exp(np.where(y > 0, front, 0)) * _fraction(y, p, q) / p, 0.0)
    return np.clip(np.where(swap, 1 - tail, tail), 0, 1)


def quantile(probability: ArrayLike, a: ArrayLike, b: ArrayLike) -> Floats:
    """The x at which `cdf` reaches a share."""
    shapes = [np.asarray(shape, np.float64) for shape in np.broadcast_arrays(a, b)]
    return root(lambda x, share, *shape: _cdf(x, *shape) - share, 0.0, 1.0, probability, *shapes, _log_beta(*shapes))


def at_least(k: ArrayLike, n: ArrayLike, p: ArrayLike) -> Floats:
    """P(X ≥ k) of a binomial X with n trials; n need not be an integer, so that one can solve for it."""
    k, n, p = (np.asarray(v, np.float64) for v in np.broadcast_arrays(k, n, p))
    inside = (k > 0) & (k <= n)
    tail = cdf(p, np.where(inside, k, 1), np.where(inside, n - k + 1, 1))
    return np.where(inside, tail, np.where(k <= 0, 1.0, 0.0))


def at_most(k: ArrayLike, n: ArrayLike, p: ArrayLike) -> Floats:
    """P(X ≤ k) of a binomial X with n trials."""
    return 1 - at_least(np.asarray(k, np.float64) + 1, n, p)


def _log_beta(a: Floats, b: Floats) -> Floats:
    return np.asarray(_log_gamma(a) + _log_gamma(b) - _log_gamma(a + b))


def _log_gamma(x: Floats) -> Floats:
    z = x - 1
    series = LANCZOS[0] + sum(term / (z + place) for place, term in enumerate(LANCZOS[1:], 1))
    t = z + 7.5
    return np.asarray(0.5 * np.log(2 * np.pi) + (z + 0.5) * np.log(t) - t + np.log(series))


def _fraction(x: Floats, a: Floats, b: Floats) -> Floats:
    """The continued fraction of DLMF 8.17.22, by Lentz's method. TINY changes no number but 0, by which nothing can be divided."""
    c = np.ones(x.shape)
    d = 1 / (1 - (a + b) * x / (a + 1) + TINY)
    value = d
    for begin in range(1, MAX_STEPS, STEPS):
        for term in _terms(begin, x, a, b):
            d, c = 1 / (1 + term * d + TINY), 1 + term / c + TINY
            factor = d * c
            value = value * factor
        if np.all(np.abs(factor - 1) < PRECISION):
            break
    return value


def _terms(begin: int, x: Floats, a: Floats, b: Floats) -> Floats:
    """The next terms of the fraction, two a step, from the step `begin` on."""
    m = np.arange(begin, begin + STEPS, dtype=np.float64).reshape(-1, *[1] * x.ndim)
    twice = a + 2 * m
    even = m * (b - m) * x / ((twice - 1) * twice)
    odd = -(a + m) * (a + b + m) * x / (twice * (twice + 1))
    return np.stack([even, odd], axis=1).reshape(-1, *x.shape)
