"""Who is drawn for what: one keyed number of each target, and lots that lie side by side in its range.

So a target is drawn once, whatever it may be drawn for, and lots are disjoint as long as they are no more than the whole. The
draw is made of the tag in our probe's sequence number, a keyed hash already (`wire.cookie`), so it costs no further one; what
scatters it has a key too, so that nobody can tell from the probe that he gets what he was drawn for.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.space.ranges import U32
from pipeline.wire.cookie import Secret

#: Values that a draw has.
VALUES = 1 << 32


@dataclass(frozen=True, slots=True)
class Sample:
    """The targets whose draw is one of the `size` values from `begin` on, around the end of the range."""

    begin: int
    size: int

    def holds(self, drawn: U32) -> NDArray[np.bool_]:
        """Which draws are in it, shape (n,)."""
        inside: NDArray[np.bool_] = drawn - np.uint32(self.begin) < np.uint64(self.size)
        return inside


def disjoint_samples(*shares: float) -> Iterator[Sample]:
    """Lots that hold these shares of all targets, each beginning where the one before ends."""
    begin = 0
    for share in shares:
        size = round(share * VALUES)
        yield Sample(begin % VALUES, size)
        begin += size


def sampling_values(secret: Secret, tags: U32) -> U32:
    """The draws of targets by their tags, each value as often as any: the finaliser of MurmurHash3 (Appleby), keyed; (n,) → (n,)."""
    drawn = tags + np.uint32(secret.k0)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        drawn ^= drawn >> np.uint32(shift)
        drawn *= np.uint32(factor)
    drawn ^= drawn >> np.uint32(16)
    drawn ^= np.uint32(secret.k1)
    return drawn
