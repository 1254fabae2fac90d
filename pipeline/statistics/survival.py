"""How long exposures last: the open-population model of Jolly and Seber (1965), for a series of comparable sweeps.

A service that is missed once and detected later was lost by the network and not gone; the model separates the two. It has
no estimate (NaN) for the first sweep and after the last but one, because a service counts as gone only after two sweeps.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.statistics.interval import LEVEL, Interval, z
from pipeline.statistics.root import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Recaptures:
    """The sufficient statistics of a history, with one element per sweep.

    caught: detected now; marked: of these, detected before; again: of these, detected later; skipped: not detected now, but
    before and later; removed: of those caught, no longer looked for ("losses on capture", Seber 1982, ch. 5).
    """

    caught: Floats
    marked: Floats
    again: Floats
    skipped: Floats
    removed: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Survival:
    """For each sweep: services present, detection probability, and the share that is still present at the next sweep."""

    present: Floats
    detection: Floats
    stays: Interval


def recaptures(history: NDArray[np.bool_]) -> Recaptures:
    """Count a history of shape (services, sweeps), true where a service was detected."""
    before = np.zeros_like(history)
    before[:, 1:] = np.logical_or.accumulate(history, axis=1)[:, :-1]
    later = np.zeros_like(history)
    later[:, :-1] = np.logical_or.accumulate(history[:, ::-1], axis=1)[:, ::-1][:, 1:]
    parts = (history, history & before, history & later, ~history & before & later, np.zeros_like(history))
    return Recaptures(*(part.sum(axis=0).astype(np.float64) for part in parts))


def survival(counts: Recaptures, level: float = LEVEL) -> Survival:
    """The estimates of Jolly and Seber, with Seber's small-sample terms (1982) and logit intervals."""
    n, m, r, skipped = counts.caught, counts.marked, counts.again, counts.skipped
    released = n - counts.removed
    with np.errstate(divide="ignore", invalid="ignore"):
        present = m + (released + 1) * skipped / (r + 1)
        present[:1], present[-1:] = 0.0, np.nan
        detection = np.where(present > 0, m / present, np.nan)
        known = present - m + released
        stays = present[1:] / known[:-1]
        total = (n + 1) * present / (m + 1)
    total[:1] = np.nan
    return Survival(total, detection, _interval(np.append(stays, np.nan), present, counts, level))


def _interval(stays: Floats, present: Floats, counts: Recaptures, level: float) -> Interval:
    """Intervals from Seber's variance of the survival, including the chance of each death, on the logit scale."""
    m, r, released = counts.marked, counts.again, counts.caught - counts.removed
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        known = present - m + released
        lost = 1 / r - 1 / released
        ahead = (present - m) * known / present**2 * lost
        variance = (
            np.append(ahead[1:], np.nan) + (present - m) / known * lost + (1 - stays) / np.append(present[1:], np.nan)
        )
        phi = np.clip(stays, 1e-9, 1 - 1e-9)
        width = z(level) * np.sqrt(np.maximum(variance, 0)) / (1 - phi)
        odds = np.log(phi / (1 - phi))
        low, high = (1 / (1 + np.exp(-odds - side * width)) for side in (-1, 1))
    unknown = np.isnan(stays) | np.isnan(variance)
    all_stayed = ~unknown & (stays >= 1)
    low = np.where(all_stayed, _low_if_none_went(known, level), low)
    return Interval(
        np.minimum(stays, 1), np.where(unknown, np.nan, low), np.where(unknown, np.nan, np.where(all_stayed, 1, high))
    )


def _low_if_none_went(known: Floats, level: float) -> Floats:
    """The lower end if no service went: the survival with which all stay with the tail's probability."""
    return np.asarray(((1 - level) / 2) ** (1 / np.maximum(known, 1)))
