"""Which targets the harm check defers at their first answer, and in which arm: by a keyed hash of their address, so that no peer knows
its arm and a repeated run puts it into the same one.

All ports of an address are in the same arm, and none of them is visited at once: an address whose visit is put off gets no other
visit meanwhile. The hash is another one than that of the extra probes, so those are as frequent in both arms as anywhere.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.probe.sampling import Sample, disjoint_samples
from pipeline.space.ranges import U32
from pipeline.wire.cookie import Secret, halfsiphash

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class HarmArms:
    """Two samples of addresses are deferred. One is visited before its liveness check, the other after."""

    secret: Secret
    visited: Sample
    unvisited: Sample

    @classmethod
    def of(cls, key: bytes, share: float) -> "HarmArms":
        """The arms of a sweep's key: together they have this share of all addresses, and each half of it."""
        return cls(Secret.derived(key, "harm arm"), *disjoint_samples(share / 2, share / 2))

    def arms(self, addresses: U32) -> tuple[Bools, Bools]:
        """Which addresses are visited first, and which are deferred at all; shape (n,) each."""
        values = halfsiphash(self.secret, addresses, np.zeros_like(addresses))
        visits_first = self.visited.contains(values)
        return visits_first, visits_first | self.unvisited.contains(values)
