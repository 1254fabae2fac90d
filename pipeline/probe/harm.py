"""Whom the harm check holds back at the first answer, and in which arm: by keyed hashes, so that no peer knows and a re-run agrees."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.wire.cookie import Secret, halfsiphash
from pipeline.wire.packet import Answers

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Choice:
    """A share `sample` of the targets is chosen, half of them to be visited before they are asked again."""

    chooser: Secret
    divider: Secret
    sample: float

    @classmethod
    def of(cls, key: bytes, sample: float) -> "Choice":
        """One whose secrets are derived from the sweep's."""
        return cls(Secret.derived(key, "harm choice"), Secret.derived(key, "harm arm"), sample)

    def arms(self, answers: Answers) -> tuple[Bools, Bools]:
        """Who would be visited first, and who is chosen at all; both of shape (n,)."""
        visits_first = self._drawn(self.divider, answers) < np.uint64(2**31)
        chosen = self._drawn(self.chooser, answers) < np.uint64(round(self.sample * 2**32))
        return visits_first, chosen

    @staticmethod
    def _drawn(secret: Secret, answers: Answers) -> NDArray[np.uint64]:
        return halfsiphash(secret, answers.address, answers.port.astype(np.uint32)).astype(np.uint64)
