"""Valid packets, and the targets that they came from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.probe.range_state import OpenRange
from pipeline.space.ranges import I64, U32
from pipeline.wire.packet import Answers


@dataclass(frozen=True, slots=True)
class LocatedPackets:
    """Valid packets from targets of one open range, which has this serial number; arrays of shape (n,)."""

    serial: int
    opened: OpenRange
    answers: Answers
    position: I64
    """Of their targets in the range."""
    taken: U32
    """When the kernel took them (`clock.taken_us`)."""
    acked: U32
    """How many bytes of ours they acknowledge."""

    def take(self, which: NDArray[np.bool_] | I64) -> "LocatedPackets":
        """The packets that a mask keeps, or those at these indices."""
        columns = (self.position[which], self.taken[which], self.acked[which])
        return LocatedPackets(self.serial, self.opened, self.answers.take(which), *columns)
