"""Which packets a lossy path loses: independently, or in runs (Gilbert's two-state channel, Bell System Technical Journal 1960)."""

import numpy as np
from numpy.typing import NDArray


class Loss:
    """One direction of a path that loses a share of its packets, in runs of `burst` on average; 1 is independent loss."""

    def __init__(self, share: float, burst: float, seed: int) -> None:
        self._share, self._random = share, np.random.default_rng(seed)
        #: A good run ends with this probability at each packet, a bad one with 1 / burst: the share lost is `share`.
        self._fails = share / (1 - share) / burst
        self._mends = 1 / burst
        self._bad = False
        self._independent = burst == 1

    def kept(self, count: int) -> NDArray[np.bool_]:
        """Which of the next packets arrive; shape (count,)."""
        if not self._share:
            return np.ones(count, dtype=np.bool_)
        if self._independent:
            return self._random.random(count) >= self._share
        kept = np.empty(count, dtype=np.bool_)
        at = 0
        while at < count:
            run = int(self._random.geometric(self._mends if self._bad else min(1.0, self._fails)))
            # A run that outlives this batch goes on in the next one: geometric runs have no memory.
            kept[at : at + run] = not self._bad
            self._bad ^= run <= count - at
            at += run
        return kept
