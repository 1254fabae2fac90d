"""A hand-over that is ready to be recorded and written."""

from dataclasses import dataclass, field
from hashlib import sha256

from pipeline.notify.address_book import BookEntry
from pipeline.notify.edition import Edition, Selection
from pipeline.notify.hand_over_events import Experiment, HandedFile, HandOver
from pipeline.optout.edit import now


@dataclass(frozen=True, slots=True)
class Prepared:
    """A hand-over that is ready: what it has, its experiment if one is on, and its encrypted files by name."""

    recipient: BookEntry
    edition: Edition
    selection: Selection
    experiment: Experiment | None
    key: str = ""
    files: dict[str, bytes] = field(default_factory=dict)

    def event(self, who: str) -> HandOver:
        """What the register keeps of it."""
        about, owner = self.edition, self.recipient.constituency.owner if self.recipient.constituency else ""
        return HandOver(
            at=now(),
            who=who,
            recipient=about.recipient,
            scope=self.recipient.country or f"signed by {owner}",
            sweep=about.sweep,
            key=self.key,
            services=len(about.services),
            decoys_left_out=about.decoys_left_out,
            opted_out=about.opted_out,
            waiting=about.waiting,
            files=tuple(
                HandedFile(name=name, sha256=sha256(data).hexdigest(), size=len(data))
                for name, data in self.files.items()
            ),
        )
