"""Packet loss of a path: independent or in bursts (Gilbert's channel, Bell System Technical Journal 1960), or by a policer."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.space.ranges import U32, Ranges
from pipeline.testbed.internet.population import mix
from pipeline.wire.packet import ACK, SYN
from pipeline.wire.segment import Endpoints


class Loss:
    """One direction of a path that loses a share of its packets, in bursts of mean length `burst`; 1 is independent loss."""

    def __init__(self, share: float, burst: float, seed: int) -> None:
        self._share, self._random = share, np.random.default_rng(seed)
        #: A good run ends with this probability at each packet, a bad one with 1 / burst; so the share lost is `share`.
        self._p_bad = share / (1 - share) / burst
        self._p_good = 1 / burst
        self._bad = False
        self._independent = burst == 1

    def passes(self, count: int) -> NDArray[np.bool_]:
        """Whether each of the next packets arrives; shape (count,)."""
        if not self._share:
            return np.ones(count, dtype=np.bool_)
        if self._independent:
            return self._random.random(count) >= self._share
        passes = np.empty(count, dtype=np.bool_)
        at = 0
        while at < count:
            run = int(self._random.geometric(self._p_good if self._bad else min(1.0, self._p_bad)))
            # A run that exceeds this batch continues in the next one: geometric runs are memoryless.
            passes[at : at + run] = not self._bad
            self._bad ^= run <= count - at
            at += run
        return passes


class SynAckLoss:
    """Loss of the SYN-ACKs of some ranges, each on its own: ranges of addresses with the share that is lost there."""

    def __init__(self, shares: Sequence[tuple[Ranges, float]], seed: int) -> None:
        self._shares, self._random = [(ranges, share) for ranges, share in shares if share], np.random.default_rng(seed)

    def passes(self, flags: int, addresses: U32) -> NDArray[np.bool_]:
        """Whether each segment with these flags from these addresses arrives; shape (n,)."""
        passes = np.ones(len(addresses), dtype=np.bool_)
        for ranges, share in self._shares if flags == SYN | ACK else ():
            passes &= ~ranges.contains(addresses) | (self._random.random(len(addresses)) >= share)
        return passes


class Stalling:
    """Loss of whole connections after the SYN-ACK, by a share for each of some ranges: none of their other segments arrives."""

    def __init__(self, shares: Sequence[tuple[Ranges, float]], seed: int) -> None:
        self._shares, self._seed = [(ranges, share) for ranges, share in shares if share], seed

    def passes(self, flags: int, places: Endpoints) -> NDArray[np.bool_]:
        """Whether each segment with these flags arrives; shape (n,). A connection is an address, its port and the visitor's."""
        passes = np.ones(len(places.address), dtype=np.bool_)
        for ranges, share in self._shares if flags != SYN | ACK else ():
            key = places.address.astype(np.uint64) << np.uint64(16) | places.our_port.astype(np.uint64)
            mixed = mix(mix(key, self._seed) ^ places.port.astype(np.uint64), self._seed) >> np.uint64(11)
            passes &= ~ranges.contains(places.address) | (mixed * 2.0**-53 >= share)
        return passes


class Bottleneck:
    """A policer that passes `rate` packets per second, with bursts of a tenth of a second, and drops the rest; 0 passes all."""

    def __init__(self, rate: int) -> None:
        self._rate, self._tokens, self._last = rate, rate / 10, 0.0

    def passes(self, count: int, now: float) -> NDArray[np.bool_]:
        """Whether each of the packets since the last call passes; `now` in seconds, result of shape (count,)."""
        if not self._rate:
            return np.ones(count, dtype=np.bool_)
        self._tokens = min(self._rate / 10, self._tokens + (now - self._last) * self._rate)
        self._last = now
        passed = min(count, int(self._tokens))
        self._tokens -= passed
        passes = np.zeros(count, dtype=np.bool_)
        # Spread over the batch, so that not always the last packets are dropped.
        passes[np.linspace(0, count - 1, passed).astype(np.int64)] = True
        return passes
