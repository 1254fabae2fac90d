"""Whether a change is more than chance where whole networks change together: the sign-flip test, by network.

Services of one network are moved, renumbered and switched off together, so they are no independent witnesses. If nothing drives the
number up or down, the net change of each network is as likely to have the other sign (Fisher 1935; Obuchowski 1998 for clustered
pairs).
"""

import numpy as np
from numpy.typing import ArrayLike


def sign_flip(net: ArrayLike) -> float:
    """The probability, both tails together, of so large a sum of net changes if each network's had its sign by chance; exact.

    net: a whole number for each network. 1 if none is different from 0. The distribution of the sum is the inverse Fourier transform
    of the product of cosines, one for each network.
    """
    signed = np.asarray(net, np.int64)
    sizes, times = np.unique(np.abs(signed[signed != 0]), return_counts=True)
    if not sizes.size:
        return 1.0
    most, seen = int((sizes * times).sum()), abs(int(signed.sum()))
    phases = 2 * np.pi * np.arange(2 * most + 1) / (2 * most + 1)
    product = np.ones(phases.size)
    for size, number in zip(sizes, times, strict=True):
        product *= np.cos(phases * size) ** number
    chances = np.fft.ifft(product).real
    sums = np.fft.fftfreq(chances.size, 1 / chances.size)
    return float(np.clip(chances[np.abs(sums) >= seen - 0.5].sum(), least(int(times.sum())), 1.0))


def least(networks: int) -> float:
    """The smallest probability that `sign_flip` can give for so many networks: that all of them change in one direction."""
    return min(1.0, 2.0 ** (1 - networks))
