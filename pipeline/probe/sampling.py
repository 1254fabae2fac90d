"""Keyed samples: which targets get an extra probe, and which addresses are in an arm of the harm check.

Every target has one sampling value: 32 bits of a keyed hash. A sample is an interval of these values, and `disjoint_samples` lays
several side by side. So no target is in two of them, as long as their shares add up to at most 1. Of addresses, `probe.harm_arms`
makes the values.

The value is made from the tag in our probe's sequence number, which is a keyed hash already (`wire.cookie`) and costs no further
one. A second key scrambles it, so that a host cannot tell from the probe which sample it is in.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.space.ranges import U32
from pipeline.wire.cookie import Secret

#: How many sampling values there are.
VALUES = 1 << 32


@dataclass(frozen=True, slots=True)
class Sample:
    """The targets whose sampling value is one of `size` values from `begin` on, modulo VALUES."""

    begin: int
    size: int

    def contains(self, values: U32) -> NDArray[np.bool_]:
        """Which sampling values are in the sample; shape (n,)."""
        if self.size == VALUES:
            return np.ones(len(values), dtype=np.bool_)
        inside: NDArray[np.bool_] = values - np.uint32(self.begin) < np.uint32(self.size)
        return inside


def disjoint_samples(*shares: float) -> Iterator[Sample]:
    """Yield a sample for each share of all targets; each begins where the one before ends."""
    begin = 0
    for share in shares:
        size = round(share * VALUES)
        yield Sample(begin % VALUES, size)
        begin += size


def sampling_values(secret: Secret, tags: U32) -> U32:
    """The sampling values of targets, from their tags: the finaliser of MurmurHash3 (Appleby), keyed; (n,) → (n,).

    It is a bijection, so each value is as frequent as any other.
    """
    values = tags + np.uint32(secret.k0)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        values ^= values >> np.uint32(shift)
        values *= np.uint32(factor)
    values ^= values >> np.uint32(16)
    values ^= np.uint32(secret.k1)
    return values
