"""Pass on an engine's results: finished rows to the writer, targets to the associators, ends of ranges to both.

All targets of a /24 go to the same associator, which limits how many of them are visited at once.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.record.receipt import Counts
from pipeline.transport import messages
from pipeline.transport.channel import Sender


@dataclass(frozen=True, slots=True)
class Fanout:
    """The writer and the associators that an engine feeds."""

    writer: Sender
    associators: list[Sender]

    def rows(self, message: messages.Rows, rows: pa.RecordBatch) -> None:
        """Send finished rows to the writer."""
        self.writer.send(message, rows)

    def targets(self, message: messages.Rows, rows: pa.RecordBatch) -> None:
        """Send targets to the associators; `rows` have the columns `ip` and `port`, and the properties of their answers."""
        associator = (np.asarray(rows["ip"]) >> np.uint32(8)) % len(self.associators)
        for number in np.unique(associator):
            self.associators[number].send(message, rows.filter(pa.array(associator == number)))

    def cooled(self, shard: int, number: int, attempt: int, counts: Counts, *, complete: bool) -> None:
        """Announce that no more of a range will come; the writer adds up the counts of all sources."""
        for channel, its_counts in ((self.writer, counts), *((channel, None) for channel in self.associators)):
            channel.send(
                messages.Cooled(shard=shard, number=number, attempt=attempt, complete=complete, counts=its_counts)
            )

    def stop(self) -> None:
        """Announce that no further range will come."""
        for channel in (self.writer, *self.associators):
            channel.send(messages.Shutdown(shard=0, number=0))

    def close(self) -> None:
        """Close the channels."""
        for channel in (self.writer, *self.associators):
            channel.close()
