"""Change between two sweeps, from the services seen in one and not in the other, less what loss alone makes of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pipeline.statistics import beta
from pipeline.statistics.beta import Floats
from pipeline.statistics.interval import LEVEL, Interval, certain
from pipeline.statistics.whole import whole


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What happened between two sweeps, one element a comparison."""

    new: Interval
    gone: Interval
    new_by_loss: Floats
    gone_by_loss: Floats
    p_growth: Floats
    p_turnover: Floats


def change(
    stayed: ArrayLike, new: ArrayLike, gone: ArrayLike, *,
    before: Interval | ArrayLike = 1.0, after: Interval | ArrayLike = 1.0, level: float = LEVEL,
) -> Change:  # fmt: skip
    """Compare two sweeps by services seen in both, the second only and the first only.

    `before` and `after` are the probabilities with which the sweeps see a service that is there. A service that is there
    both times looks gone with probability 1 - after: so many as `whole(stayed, after)` exceeds `stayed`, whose interval
    is subtracted too. p_growth is McNemar's exact test that as many came as went, be the discordant ones of loss alone or
    of turnover as well (the larger p of the two); p_turnover tests that loss alone explains them. Both are 1 where there is
    nothing discordant.
    """
    stayed, new, gone = (np.asarray(v, np.float64) for v in np.broadcast_arrays(stayed, new, gone))
    first = before if isinstance(before, Interval) else certain(before)
    second = after if isinstance(after, Interval) else certain(after)
    missed_before, missed_after = (whole(stayed, seen, level) for seen in (first, second))
    came, went = missed_before.value - stayed, missed_after.value - stayed
    turnover = np.maximum(0, new + gone - came - went) / 2
    return Change(
        new=_net(new, stayed, missed_before),
        gone=_net(gone, stayed, missed_after),
        new_by_loss=came,
        gone_by_loss=went,
        p_growth=np.maximum(*(two_sided(new, new + gone, _expected(came, went, real)) for real in (0, turnover))),
        p_turnover=_beyond_loss(stayed, new, gone, first.value, second.value),
    )


def _expected(came: Floats, went: Floats, turnover: Floats | float) -> Floats:
    """The share of the discordant ones that would be new if as many came as went; a half without loss."""
    of = came + went + 2 * np.asarray(turnover)
    return np.asarray(np.divide(came + turnover, of, out=np.full(of.shape, 0.5), where=of > 0))


def two_sided(k: ArrayLike, n: ArrayLike, p: ArrayLike = 0.5) -> Floats:
    """The exact binomial test that k of n trials had probability p: twice the smaller tail, at most 1."""
    less, more = beta.at_most(k, n, p), beta.at_least(k, n, p)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(less, more)))


def _net(seen: Floats, stayed: Floats, there: Interval) -> Interval:
    """The discordant ones without those that loss made: never fewer than none, nor more than were seen."""
    value, low, high = (seen - (end - stayed) for end in (there.value, there.high, there.low))
    return Interval(*(np.clip(end, 0, seen) for end in (value, low, high)))


def _beyond_loss(stayed: Floats, new: Floats, gone: Floats, before: Floats, after: Floats) -> Floats:
    """P(so many discordant ones or more by loss alone), each of those there being seen in at least one sweep."""
    twice = before * after
    once = before + after - 2 * twice
    return beta.at_least(new + gone, stayed + new + gone, once / (once + twice))
