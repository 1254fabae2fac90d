"""Change between two sweeps: services detected in only one of them, minus those that packet loss explains."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pipeline.statistics import beta
from pipeline.statistics.abundance import abundance
from pipeline.statistics.interval import LEVEL, Interval, certain, share
from pipeline.statistics.looks import Looks, possible
from pipeline.statistics.root import Floats

#: How likely a sweep detects a service: counts of second looks, a number if it is known, None if nothing is known of it.
Detection = Looks | float | None


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """The change between two sweeps; arrays with one element per comparison. Without a known detection, estimates are NaN."""

    new: Interval
    gone: Interval
    new_by_loss: Floats
    gone_by_loss: Floats
    turnover: Interval
    p_growth: Floats
    p_least: Floats


def change(
    stayed: ArrayLike, new: ArrayLike, gone: ArrayLike, *,
    before: Detection = 1.0, after: Detection = 1.0, level: float = LEVEL,
) -> Change:  # fmt: skip
    """Compare two sweeps by the services detected in both, only in the second, and only in the first.

    `before` and `after` are the detections of the sweeps. A service that exists at both times looks gone with probability
    1 - after. The expected number of these, `abundance(stayed, after) - stayed`, is subtracted, with its interval. turnover is
    the share of all services detected in either sweep that existed in one of them only. p_growth is the p of `growth`, and
    p_least the smallest p that so many discordant services can have, however they are divided.
    """
    stayed, new, gone = (np.asarray(v, np.float64) for v in np.broadcast_arrays(stayed, new, gone))
    first, second = (_interval(detection, level) for detection in (before, after))
    missed_before, missed_after = (_there(stayed, seen, level) for seen in (first, second))
    return Change(
        new=_without_loss(new, stayed, missed_before),
        gone=_without_loss(gone, stayed, missed_after),
        new_by_loss=missed_before.value - stayed,
        gone_by_loss=missed_after.value - stayed,
        turnover=_turnover(stayed, new + gone, first, second, level),
        p_growth=growth(stayed, new, gone, before, after),
        p_least=least_growth(stayed, new + gone, before, after),
    )


def growth(stayed: ArrayLike, new: ArrayLike, gone: ArrayLike, before: Detection, after: Detection) -> Floats:
    """The p of McNemar's exact test that as many services appeared as disappeared; 1 if no service is discordant.

    Loss makes some of both, and unequally many if the sweeps lost unequally. The test is averaged over all losses that the second
    looks allow, so few looks reject seldom. Whether loss explains all discordant services or only its part is not known; the
    larger p of the two counts. Where nothing is known of a sweep's loss, both sweeps are taken to have lost alike.
    """
    stayed, new, gone = (np.asarray(v, np.float64)[..., None] for v in np.broadcast_arrays(stayed, new, gone))
    if before is None or after is None:
        before = after = 1.0
    (first, first_weight), (second, second_weight) = possible(before), possible(after)
    at_first, at_second = np.repeat(first, second.shape[-1], axis=-1), np.tile(second, first.shape[-1])
    weight = np.outer(first_weight, second_weight).ravel()
    new_by_loss, gone_by_loss = (stayed * (1 - seen) / seen for seen in (at_first, at_second))
    turnover = np.maximum(0, new + gone - new_by_loss - gone_by_loss) / 2
    shares = [_expected_share(new_by_loss, gone_by_loss, part) for part in (0 * turnover, turnover)]
    return np.asarray(np.maximum(*(_averaged(new, new + gone, expected, weight) for expected in shares)))


def least_growth(stayed: ArrayLike, discordant: ArrayLike, before: Detection, after: Detection) -> Floats:
    """The smallest p of `growth` that so many discordant services can have, however they are divided."""
    every = np.asarray(discordant, np.float64)
    sides = (every, 0 * every), (0 * every, every)
    return np.minimum(*(growth(stayed, new, gone, before, after) for new, gone in sides))


def _averaged(k: Floats, n: Floats, expected: Floats, weight: Floats) -> Floats:
    """Twice the smaller tail of k in n, the tails averaged over the expected shares in the last axis."""
    tails = [(tail(k, n, expected) * weight).sum(axis=-1) for tail in (beta.at_most, beta.at_least)]
    return np.asarray(np.minimum(1.0, 2 * np.minimum(*tails)))


def _expected_share(new_by_loss: Floats, gone_by_loss: Floats, turnover: Floats) -> Floats:
    """The expected share of new services among the discordant ones, if as many appeared as disappeared."""
    discordant = new_by_loss + gone_by_loss + 2 * turnover
    return np.asarray(
        np.divide(new_by_loss + turnover, discordant, out=np.full(discordant.shape, 0.5), where=discordant > 0)
    )


def least_shown(stayed: float, discordant: int, before: Detection, after: Detection, limit: float) -> int:
    """The smallest difference of new and gone services, of so many discordant ones, whose p is below a limit; one more than
    all of them if no difference is."""
    low, high = 0, discordant // 2 + 1
    while low < high:
        middle = (low + high) // 2
        fewer, more = discordant // 2 - middle, discordant - discordant // 2 + middle
        sides = (fewer, more), (more, fewer)
        if fewer >= 0 and max(float(growth(stayed, n, g, before, after)) for n, g in sides) < limit:
            high = middle
        else:
            low = middle + 1
    return min(discordant + 1, discordant % 2 + 2 * low)


def holm(p: ArrayLike) -> Floats:
    """p values corrected for being several (Holm 1979): one below 0.05 has a chance of 5 % among all, if nothing changed."""
    p = np.asarray(p, np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    corrected = np.empty(p.size)
    corrected[order] = np.minimum(1.0, stepped)
    return corrected


def _interval(detection: Detection, level: float) -> Interval | None:
    if isinstance(detection, Looks):
        return detection.detection(level)
    return None if detection is None else certain(detection)


def _there(stayed: Floats, detection: Interval | None, level: float) -> Interval:
    """The services of which `stayed` were detected; with an unknown detection, any number."""
    if detection is None:
        return Interval(np.full(stayed.shape, np.nan), stayed, np.full(stayed.shape, np.inf))
    return abundance(stayed, detection, level)


def _without_loss(seen: Floats, stayed: Floats, total: Interval) -> Interval:
    """The discordant services minus those that loss explains: at least 0, at most those detected."""
    value, low, high = (seen - (end - stayed) for end in (total.value, total.high, total.low))
    return Interval(*(np.clip(end, 0, seen) for end in (value, low, high)))


def _turnover(
    stayed: Floats, discordant: Floats, first: Interval | None, second: Interval | None, level: float
) -> Interval:
    """The share of discordant services less what loss makes of those that stayed; both uncertainties are joined as squares."""
    seen_once = share(discordant, stayed + discordant, level)
    if first is None or second is None:
        return Interval(np.full(stayed.shape, np.nan), np.zeros(stayed.shape), seen_once.high)
    odds, least, most = (
        (1 - one) / one + (1 - other) / other
        for one, other in ((first.value, second.value), (first.high, second.high), (first.low, second.low))
    )
    both = 1 - seen_once.value
    value = seen_once.value - both * odds
    below = np.hypot((1 + odds) * (seen_once.value - seen_once.low), both * (most - odds))
    above = np.hypot((1 + odds) * (seen_once.high - seen_once.value), both * (odds - least))
    return Interval(*(np.clip(end, 0, 1) for end in (value, value - below, value + above)))
