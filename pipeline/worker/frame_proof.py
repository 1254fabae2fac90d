"""What a sender does when its first frames turn out not to have left."""

from dataclasses import dataclass, replace

import msgspec

from pipeline import logs
from pipeline.probe.engine_events import Finished
from pipeline.transport import messages
from pipeline.transport.channel import Sender
from pipeline.worker.sender import SenderParts


@dataclass(slots=True)
class FrameProof:
    """Obeys the verdict on a sender's first frames. No receipt claims a probe that has not left."""

    sender: SenderParts
    coordinator: Sender
    yields: bool
    """Another engine takes over; otherwise a warning says what is wrong, and the sweep goes on as it was obeyed."""
    obeyed: bool = False

    def look(self) -> None:
        """Look at the verdict, and act on it once."""
        departure = self.sender.departure
        if departure is None or not departure.lost or self.obeyed:
            return
        self.obeyed = True
        if self.yields:
            self.coordinator.send(messages.Vanished(shard=0, number=0, reason=departure.lost))
            self.sender.engine.stop()
        else:
            logs.warning(
                f"{departure.lost}; if nobody answers, look with a capture on another machine whether they leave"
            )
            departure.overrule()

    def judged(self, event: Finished) -> Finished:
        """A range that has ended: incomplete, with the probes that have left at most, if the frames are lost."""
        departure = self.sender.departure
        if departure is None or not self.yields:
            return event
        departure.give_up()
        self.look()
        if not departure.lost:
            return event
        sent = min(event.counts.probes_sent, departure.left)
        counts = msgspec.structs.replace(event.counts, probes_sent=sent, second_probes=0, control_probes=0)
        return replace(event, counts=counts, complete=False)
