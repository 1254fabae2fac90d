"""Second looks: of the hosts that a second look saw, those that the first one saw too, and what that says of its detection."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.statistics import beta
from pipeline.statistics.interval import LEVEL, Interval, share, tail
from pipeline.statistics.root import Floats

#: Points at which a quantity is averaged over the uncertainty of a detection, and their weights (Gauss and Hermite): nine points
#: reach 4.5 standard errors to each side, so that the tails of a test over two hundred countries are not cut.
NODES, _DENSITIES = np.polynomial.hermite_e.hermegauss(9)
#: The least detection that is considered, so that nothing is divided by 0.
TINY = 1e-9
WEIGHTS: NDArray[np.float64] = _DENSITIES / _DENSITIES.sum()


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Counts of second looks: the second look saw `second` hosts, and the first one `both` of them.

    Without `counted` they were not counted but inferred: the detection is known as well as by so many looks, and its interval is that
    of the beta distribution with these shapes.
    """

    both: Floats
    second: Floats
    counted: NDArray[np.bool_]

    def detection(self, level: float = LEVEL) -> Interval:
        """The probability that the first look sees a host, with its exact interval."""
        exact = share(self.both, self.second, level)
        if np.all(self.counted):
            return exact
        missed = np.maximum(self.second - self.both, TINY)
        low, high = (
            beta.quantile(part, np.maximum(self.both, TINY), missed) for part in (tail(level), 1 - tail(level))
        )
        return Interval(exact.value, np.where(self.counted, exact.low, low), np.where(self.counted, exact.high, high))

    def at(self, index: int) -> "Looks":
        """The looks of one of several comparisons; the same if they are those of all."""
        return looks(self.both[index], self.second[index], self.counted[index]) if self.both.ndim else self

    def possible(self) -> Floats:
        """The detections that the counts allow, one for each of NODES in the last axis, to be weighted by WEIGHTS.

        Each is the end of Wilson's interval (1927) at that many standard errors.
        """
        k, n = (np.asarray(count, np.float64)[..., None] for count in (self.both, self.second))
        spread = NODES * np.sqrt(k * (n - k) / n + NODES**2 / 4)
        return np.asarray(np.clip((k + NODES**2 / 2 + spread) / (n + NODES**2), TINY, 1))


def looks(both: ArrayLike, second: ArrayLike, counted: ArrayLike = True) -> Looks:
    """Second looks from their counts."""
    each, of, exactly = np.broadcast_arrays(both, second, counted)
    return Looks(np.asarray(each, np.float64), np.asarray(of, np.float64), np.asarray(exactly, np.bool_))


def possible(detection: Looks | float) -> tuple[Floats, NDArray[np.float64]]:
    """The values that a detection may have, and their weights; one value if it is known."""
    if isinstance(detection, Looks):
        return detection.possible(), WEIGHTS
    return np.array([float(detection)]), np.ones(1)
