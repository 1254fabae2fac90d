"""Second looks: of the hosts that a second look saw, those that the first one saw too, and what that says of its detection."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.statistics.interval import LEVEL, Interval, share
from pipeline.statistics.root import Floats

#: Points at which a quantity is averaged over the uncertainty of a detection, and their weights (Gauss and Hermite): nine points
#: reach 4.5 standard errors to each side, so that the tails of a test over two hundred countries are not cut.
NODES, _DENSITIES = np.polynomial.hermite_e.hermegauss(9)
#: The least detection that is considered, so that nothing is divided by 0.
TINY = 1e-9
WEIGHTS: NDArray[np.float64] = _DENSITIES / _DENSITIES.sum()


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Counts of second looks: the second look saw `second` hosts, and the first one `both` of them."""

    both: Floats
    second: Floats

    def detection(self, level: float = LEVEL) -> Interval:
        """The probability that the first look sees a host, with its exact interval."""
        return share(self.both, self.second, level)

    def possible(self) -> Floats:
        """The detections that the counts allow, one for each of NODES in the last axis, to be weighted by WEIGHTS.

        Each is the end of Wilson's interval (1927) at that many standard errors.
        """
        k, n = (np.asarray(count, np.float64)[..., None] for count in (self.both, self.second))
        spread = NODES * np.sqrt(k * (n - k) / n + NODES**2 / 4)
        return np.asarray(np.clip((k + NODES**2 / 2 + spread) / (n + NODES**2), TINY, 1))


def looks(both: ArrayLike, second: ArrayLike) -> Looks:
    """Second looks from their counts."""
    return Looks(np.asarray(both, np.float64), np.asarray(second, np.float64))


def possible(detection: Looks | float) -> tuple[Floats, NDArray[np.float64]]:
    """The values that a detection may have, and their weights; one value if it is known."""
    if isinstance(detection, Looks):
        return detection.possible(), WEIGHTS
    return np.array([float(detection)]), np.ones(1)
