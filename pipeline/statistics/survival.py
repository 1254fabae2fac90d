"""How long exposures last: the open-population model of Jolly and Seber (1965), over a series of like sweeps.

A service that is missed once and seen later was lost by the network, not gone; the model tells the two apart. Of the first
sweep, and of what happens after the last but one, it can say nothing (NaN): gone needs two sweeps' absence.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.statistics.beta import Floats
from pipeline.statistics.interval import LEVEL, Interval, z


@dataclass(frozen=True, slots=True, eq=False)
class Recaptures:
    """What a history comes down to, one element a sweep.

    caught: seen now; marked: of them seen before; again: of them seen later; skipped: not seen, but before and later.
    """

    caught: Floats
    marked: Floats
    again: Floats
    skipped: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Survival:
    """Of each sweep: services there, probability to see one, and the share that is still there at the next sweep."""

    there: Floats
    seen: Floats
    stays: Interval


def recaptures(history: NDArray[np.bool_]) -> Recaptures:
    """Count a history, services × sweeps, true where a service was seen."""
    before = np.zeros_like(history)
    before[:, 1:] = np.logical_or.accumulate(history, axis=1)[:, :-1]
    later = np.zeros_like(history)
    later[:, :-1] = np.logical_or.accumulate(history[:, ::-1], axis=1)[:, ::-1][:, 1:]
    parts = (history, history & before, history & later, ~history & before & later)
    return Recaptures(*(part.sum(axis=0).astype(np.float64) for part in parts))


def survival(counts: Recaptures, level: float = LEVEL) -> Survival:
    """The estimates of Jolly and Seber, with the small-sample terms of Seber (1982), and logit intervals."""
    n, m, r, skipped = counts.caught, counts.marked, counts.again, counts.skipped
    with np.errstate(divide="ignore", invalid="ignore"):
        there = m + (n + 1) * skipped / (r + 1)
        there[:1], there[-1:] = 0.0, np.nan
        seen = np.where(there > 0, m / there, np.nan)
        known = there - m + n
        stays = there[1:] / known[:-1]
        total = (n + 1) * there / (m + 1)
    total[:1] = np.nan
    return Survival(total, seen, _interval(np.append(stays, np.nan), there, counts, level))


def _interval(stays: Floats, there: Floats, counts: Recaptures, level: float) -> Interval:
    """Seber's variance of the survival, deaths themselves included, taken to the logit scale."""
    m, r, n = counts.marked, counts.again, counts.caught
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        known = there - m + n
        lost = 1 / r - 1 / n
        ahead = (there - m) * known / there**2 * lost
        part = np.append(ahead[1:], np.nan) + (there - m) / known * lost + (1 - stays) / np.append(there[1:], np.nan)
        phi = np.clip(stays, 1e-9, 1 - 1e-9)
        width = z(level) * np.sqrt(np.maximum(part, 0)) / (1 - phi)
        odds = np.log(phi / (1 - phi))
        low, high = (1 / (1 + np.exp(-odds - side * width)) for side in (-1, 1))
    untold = np.isnan(stays) | np.isnan(part)
    sure = ~untold & (stays >= 1)
    low = np.where(sure, _none_left(known, level), low)
    return Interval(
        np.minimum(stays, 1), np.where(untold, np.nan, low), np.where(untold, np.nan, np.where(sure, 1, high))
    )


def _none_left(known: Floats, level: float) -> Floats:
    """The lower end where none was seen to go: the share that lets all of them stay with the tail's probability."""
    return np.asarray(((1 - level) / 2) ** (1 / np.maximum(known, 1)))


def half_life(stays: ArrayLike, days: ArrayLike) -> float:
    """Days after which half of the services are gone, from the survival over steps of so many days; inf if none goes."""
    stays, days = np.asarray(stays, np.float64), np.asarray(days, np.float64)
    told = np.isfinite(stays) & (stays > 0)
    if not told.any():
        return float("nan")
    fall = -np.log(stays[told]).sum() / days[told].sum()
    return float(np.log(2) / fall) if fall > 0 else float("inf")
