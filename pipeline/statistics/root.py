"""Where increasing functions of arrays cross zero."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

#: Halving alone takes 60 steps for the last bit of [0, 1]; most functions take ten.
MAX_STEPS = 200
EPSILON, TINY = np.finfo(np.float64).eps, np.finfo(np.float64).tiny


def root(function: Callable[..., Floats], low: ArrayLike, high: ArrayLike, *given: ArrayLike) -> Floats:
    """The x of [low, high] from which `function(x, *given)` is above 0: `low` if it is so there, `high` if it is so nowhere.

    Functions increase with x. They are of single elements of `given`, all of one shape, and are asked only about those whose x is
    not yet known. By Chandrupatla's method (Advances in Engineering Software 28, 1997), which interpolates where that is safe, and
    halves elsewhere.
    """
    arrays = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (low, high, *given)))
    x0, x1, *rest = (v.ravel() for v in arrays)
    f0, f1 = function(x0, *rest), function(x1, *rest)
    answer, open_ = np.where(f0 > 0, x0, x1), np.flatnonzero((f0 <= 0) & (f1 > 0))
    x0, x1, f0, f1, *rest = (v[open_] for v in (x0, x1, f0, f1, *rest))
    step = np.full(x0.shape, 0.5)
    for _ in range(MAX_STEPS):
        if not len(open_):
            break
        x = x1 + step * (x0 - x1)
        f = function(x, *rest)
        same = (f > 0) == (f1 > 0)
        x2, f2 = np.where(same, x1, x0), np.where(same, f1, f0)
        x0, f0 = np.where(same, x0, x1), np.where(same, f0, f1)
        x1, f1 = x, f
        answer[open_] = nearest = np.where(np.abs(f0) < np.abs(f1), x0, x1)
        with np.errstate(divide="ignore"):
            least = (2 * EPSILON * np.abs(nearest) + TINY) / np.abs(x0 - x1)
        go_on = (least <= 0.5) & (f0 != 0) & (f1 != 0)
        open_, x0, x1, x2, f0, f1, f2, least, *rest = (v[go_on] for v in (open_, x0, x1, x2, f0, f1, f2, least, *rest))
        step = np.clip(_step((x0, x1, x2), (f0, f1, f2)), least, 1 - least)
    return answer.reshape(arrays[0].shape)


def _step(x: tuple[Floats, Floats, Floats], f: tuple[Floats, Floats, Floats]) -> Floats:
    """The share of the way from x[1] to x[0]: by inverse quadratic interpolation where all three points bend little, or half."""
    (b, a, c), (fb, fa, fc) = x, f
    with np.errstate(divide="ignore", invalid="ignore"):  # where two points are as high, it is not safe
        along, across = (a - b) / (c - b), (fa - fb) / (fc - fb)
        safe = (across**2 < along) & ((1 - across) ** 2 < 1 - along)
        way = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
    return np.where(safe, way, 0.5)
