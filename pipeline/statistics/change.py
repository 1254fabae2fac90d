"""Change between two sweeps: services detected in only one of them, minus those that packet loss explains."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pipeline.statistics import beta
from pipeline.statistics.abundance import abundance
from pipeline.statistics.beta import Floats
from pipeline.statistics.interval import LEVEL, Interval, certain


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """The change between two sweeps; arrays with one element per comparison."""

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
    """Compare two sweeps by the services detected in both, only in the second, and only in the first.

    `before` and `after` are the detection probabilities of the sweeps. A service that exists at both times looks gone with
    probability 1 - after. The expected number of these, `abundance(stayed, after) - stayed`, is subtracted, with its
    interval. p_growth is McNemar's exact test that as many services appeared as disappeared, whether the discordant ones
    are due to loss alone or also to turnover (the larger p of the two). p_turnover tests that loss alone explains them,
    loss as great as the intervals of the probabilities allow. Both are 1 if no service is discordant.
    """
    stayed, new, gone = (np.asarray(v, np.float64) for v in np.broadcast_arrays(stayed, new, gone))
    first = before if isinstance(before, Interval) else certain(before)
    second = after if isinstance(after, Interval) else certain(after)
    missed_before, missed_after = (abundance(stayed, seen, level) for seen in (first, second))
    new_by_loss, gone_by_loss = missed_before.value - stayed, missed_after.value - stayed
    turnover = np.maximum(0, new + gone - new_by_loss - gone_by_loss) / 2
    return Change(
        new=_without_loss(new, stayed, missed_before),
        gone=_without_loss(gone, stayed, missed_after),
        new_by_loss=new_by_loss,
        gone_by_loss=gone_by_loss,
        p_growth=np.maximum(
            *(
                two_sided(new, new + gone, _expected_share(new_by_loss, gone_by_loss, turnover_part))
                for turnover_part in (0, turnover)
            )
        ),
        p_turnover=_beyond_loss(stayed, new, gone, first.low, second.low),
    )


def _expected_share(new_by_loss: Floats, gone_by_loss: Floats, turnover: Floats | float) -> Floats:
    """The expected share of new services among the discordant ones, if as many appeared as disappeared."""
    discordant = new_by_loss + gone_by_loss + 2 * np.asarray(turnover)
    return np.asarray(
        np.divide(new_by_loss + turnover, discordant, out=np.full(discordant.shape, 0.5), where=discordant > 0)
    )


def two_sided(k: ArrayLike, n: ArrayLike, p: ArrayLike = 0.5) -> Floats:
    """The p-value of the exact binomial test of k successes in n trials with probability p: twice the smaller tail."""
    less, more = beta.at_most(k, n, p), beta.at_least(k, n, p)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(less, more)))


def _without_loss(seen: Floats, stayed: Floats, total: Interval) -> Interval:
    """The discordant services minus those that loss explains: at least 0, at most those detected."""
    value, low, high = (seen - (end - stayed) for end in (total.value, total.high, total.low))
    return Interval(*(np.clip(end, 0, seen) for end in (value, low, high)))


def _beyond_loss(stayed: Floats, new: Floats, gone: Floats, before: Floats, after: Floats) -> Floats:
    """P(at least this many discordant services by loss alone), given that each was detected at least once."""
    in_both = before * after
    in_one = before + after - 2 * in_both
    seen = in_one + in_both
    share = np.divide(in_one, seen, out=np.ones_like(seen), where=seen > 0)
    return beta.at_least(new + gone, stayed + new + gone, share)
