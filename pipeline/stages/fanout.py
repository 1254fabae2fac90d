"""The engine's way to the associators: all targets of a /24 go to the same one, the end of a range to each."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.transport import messages
from pipeline.transport.channel import Sender


@dataclass(frozen=True, slots=True)
class Fanout:
    """The associators that an engine feeds."""

    associators: list[Sender]

    def targets(self, message: messages.Rows, rows: pa.RecordBatch) -> None:
        """Hand targets on; `rows` have the columns `ip` and `port` and what is known of the answers."""
        whose = (np.asarray(rows["ip"]) >> np.uint32(8)) % len(self.associators)
        for number in np.unique(whose):
            self.associators[number].send(message, rows.filter(pa.array(whose == number)))

    def cooled(self, shard: int, number: int, attempt: int, counts: dict[str, Any], *, complete: bool) -> None:
        """Say that no more targets of a range will come; the counts go along once."""
        for position, associator in enumerate(self.associators):
            associator.send(
                messages.Cooled(
                    shard=shard, number=number, attempt=attempt, complete=complete, counts={} if position else counts
                )
            )

    def stop(self) -> None:
        """Say that no further range will come."""
        for associator in self.associators:
            associator.send(messages.Stop(shard=0, number=0))

    def close(self) -> None:
        """Close the channels."""
        for associator in self.associators:
            associator.close()
