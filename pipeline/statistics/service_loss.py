"""The loss of services by country: the loss of the country's hosts, times the ratio at which services are lost more often.

Few second looks are at services, and many at other hosts. So the hosts show how the loss of one country differs from that of another.
The services of all countries together show the ratio: those missed, over those that the hosts' loss lets expect (indirect
standardisation; Breslow and Day 1987, ch. 2). Mart `country_loss` has both for one sweep. Here is what a comparison of two needs
besides: one ratio for both, since not knowing it well makes neither sweep lose more than the other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pipeline.statistics.looks import TINY, Looks, looks
from pipeline.statistics.root import Floats

#: The greatest loss that is considered, and the fewest looks that a loss is known by.
MOST_LOST, FEWEST_LOOKS = 0.99, 0.5
#: Services missed, and services that were expected to be missed, before any look: a gamma prior of mean 1.
PRIOR = 1.0


@dataclass(frozen=True, slots=True)
class ServiceLooks:
    """The looks of a sweep at services: how many were missed, of how many that hosts' loss lets expect. Both as independent looks."""

    missed: float
    expected: float


def common_ratio(*sweeps: ServiceLooks) -> float:
    """At how many times the rate of hosts services are lost, from the looks of several sweeps."""
    return (PRIOR + sum(sweep.missed for sweep in sweeps)) / (PRIOR + sum(sweep.expected for sweep in sweeps))


def at_ratio(host_lost: ArrayLike, host_kept: ArrayLike, ratio: float, part_twice: ArrayLike) -> Looks:
    """The looks at services that say as much as these looks at hosts do, if services are lost at `ratio` times their rate.

    part_twice: the share of targets that got a second SYN, and are lost only if both are lost.
    """
    lost, kept, twice = (np.asarray(value, np.float64) for value in (host_lost, host_kept, part_twice))
    rate = lost / (lost + kept)
    once = np.minimum(MOST_LOST, ratio * rate)
    variance = (once / rate) ** 2 * rate * (1 - rate) / (lost + kept + 1)
    return _as_looks(once * (1 - twice * (1 - once)), variance * (1 - twice + 2 * twice * once) ** 2)


def _as_looks(loss: Floats, variance: Floats) -> Looks:
    """The looks whose beta distribution has this mean and variance."""
    number = np.maximum(FEWEST_LOOKS, loss * (1 - loss) / np.maximum(variance, TINY) - 1)
    return looks((1 - loss) * number, number, counted=False)
