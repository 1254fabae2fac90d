"""Whom the harm check holds back at the first answer, and in which arm: by keyed draws, so that no peer knows and a re-run agrees."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.probe.sampling import Sample, sampling_values
from pipeline.wire.cookie import Secret
from pipeline.wire.packet import Answers

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class HarmArms:
    """The targets of two lots are held back: those of one are visited before they are asked again, those of the other after."""

    chooser: Secret
    visited: Sample
    unvisited: Sample

    def arms(self, answers: Answers) -> tuple[Bools, Bools]:
        """Who is visited first, and who is held back at all, by the tags that first answers give back; both of shape (n,)."""
        drawn = sampling_values(self.chooser, answers.our_sequence)
        visits_first = self.visited.holds(drawn)
        return visits_first, visits_first | self.unvisited.holds(drawn)
