"""Which packets a path loses: some, independently or in runs (Gilbert's channel, Bell System Technical Journal 1960); or too many."""

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


class Bottleneck:
    """A policer that lets `rate` packets a second pass, and a tenth of a second's at once; what is over is lost. 0 lets all pass."""

    def __init__(self, rate: int) -> None:
        self._rate, self._room, self._last = rate, rate / 10, 0.0

    def kept(self, count: int, now: float) -> NDArray[np.bool_]:
        """Which of the packets that have come since the last time (`now` in seconds) pass; shape (count,)."""
        if not self._rate:
            return np.ones(count, dtype=np.bool_)
        self._room = min(self._rate / 10, self._room + (now - self._last) * self._rate)
        self._last = now
        passed = min(count, int(self._room))
        self._room -= passed
        kept = np.zeros(count, dtype=np.bool_)
        # Spread over the batch: who comes last is not always the one that is lost.
        kept[np.linspace(0, count - 1, passed).astype(np.int64)] = True
        return kept
