"""What a register withheld in a span of time: who was not probed then, so that absence says nothing of them."""

from collections.abc import Sequence
from datetime import datetime

from pipeline.optout.events import AnyEvent, OptOut, Quarantine, fold
from pipeline.space.ranges import Ranges


def withheld(events: Sequence[AnyEvent], begin: datetime, end: datetime) -> Ranges:
    """The addresses that were opted out or quarantined at any time from `begin` to `end`, by a register's events in their order."""
    at_first = fold([event for event in events if event.at <= begin], begin.date())
    meanwhile = fold(
        [event for event in events if begin < event.at <= end and isinstance(event, OptOut | Quarantine)], begin.date()
    )
    parts = [part for state in (at_first, meanwhile) for part in (state.ranges, state.quarantined)]
    return Ranges.of(pair for part in parts for pair in part.pairs())
