"""The register of hand-overs of a lake: where it is kept, which experiments are on, and what is added to it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pipeline.errors import InputError
from pipeline.lake import layout
from pipeline.lake.store import Location
from pipeline.notify import hand_over_events as events
from pipeline.notify.hand_over_events import AnyEvent, Experiment
from pipeline.notify.prepared import Prepared
from pipeline.optout import anchor, register
from pipeline.optout.chained import History
from pipeline.optout.edit import now
from pipeline.optout.register import Register, RegisterFile, RegisterObject, today


@dataclass(frozen=True, slots=True)
class NewExperiment:
    """Experiments that begin with a hand-over of a sweep: for how many days, and who begins them."""

    sweep: str
    days: int
    who: str


def of_lake(lake: Location) -> Register:
    """Return the register of hand-overs of a lake."""
    place = lake / events.NAME
    return RegisterFile(place, of_lake=True, private=True) if isinstance(place, Path) else RegisterObject(place)


def recorded(lake: Location) -> tuple[AnyEvent, ...]:
    """Return all hand-overs and experiments of a lake. Raises InputError if the register was changed, or is gone."""
    layout.sweeps(lake)
    opened = of_lake(lake)
    if not (lake / events.NAME).exists() and anchor.last(opened.where) is None:
        return ()
    return register.read_continued(opened, events.parse)[1].events


def experiments(
    recorded: Sequence[AnyEvent], names: Sequence[str], begun: NewExperiment | None
) -> dict[str, Experiment | None]:
    """Return the experiment of each recipient: the one that is on, or a new one if some begin."""
    on = {name: events.experiment_of(recorded, name, today()) for name in names}
    if begun is None:
        return on
    key, until = events.key_of(recorded) or secrets.token_hex(32), today() + timedelta(days=begun.days)
    return {
        name: experiment or Experiment(at=now(), who=begun.who, recipient=name, sweep=begun.sweep, until=until, key=key)
        for name, experiment in on.items()
    }


def record(lake: Location, prepared: Sequence[Prepared], who: str) -> None:
    """Append experiments that begin, and hand-overs. Raises InputError if an experiment began meanwhile that these do not heed."""

    def make(history: History[AnyEvent]) -> list[AnyEvent]:
        known = [event for event in history.events if isinstance(event, Experiment)]
        for each in prepared:
            on = events.experiment_of(known, each.recipient.name, today())
            if on is not None and on != each.experiment:
                raise InputError(
                    f"recipient {each.recipient.name}",
                    "somebody else began an experiment meanwhile; run the command again",
                )
        stored = [(experiment.recipient, experiment.until, experiment.key) for experiment in known]
        begun = [
            each.experiment
            for each in prepared
            if each.experiment and (each.experiment.recipient, each.experiment.until, each.experiment.key) not in stored
        ]
        return [*begun, *(each.event(who) for each in prepared)]

    opened = of_lake(lake)
    opened.create()
    register.append(opened, events.parse, make)
