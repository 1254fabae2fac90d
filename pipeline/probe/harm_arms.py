"""Which targets the harm check defers at their first answer, and in which arm: by keyed samples, so that no peer knows its arm
and a repeated run puts it into the same one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.probe.sampling import Sample, sampling_values
from pipeline.wire.cookie import Secret
from pipeline.wire.packet import Answers

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class HarmArms:
    """Two samples of targets are deferred. One is visited before its liveness check, the other after."""

    sampler: Secret
    visited: Sample
    unvisited: Sample

    def arms(self, answers: Answers) -> tuple[Bools, Bools]:
        """Which targets are visited first, and which are deferred at all, by the tags in their first answers; shape (n,) each."""
        values = sampling_values(self.sampler, answers.our_sequence)
        visits_first = self.visited.contains(values)
        return visits_first, visits_first | self.unvisited.contains(values)
