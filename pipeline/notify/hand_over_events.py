"""The register of hand-overs: who got what of which sweep, when, and which experiments make a random half wait. Pure.

It is `hand-overs.jsonl` in the lake, of chained lines like the register of opt-outs (`pipeline.optout.chained`). It holds no
address, and no digest of what was in clear.
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from pipeline.errors import InputError
from pipeline.optout import chained
from pipeline.optout.chained import Event, Given, History

#: The file of the register, in the lake.
NAME = "hand-overs.jsonl"

Hexadecimal = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="64 hexadecimal digits")]


class HandedFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file as it was handed over: its name, the SHA-256 of its encrypted bytes, and how many they are."""

    name: Given
    sha256: Hexadecimal
    size: int


class HandOver(Event, frozen=True, tag="hand_over"):
    """Files for a recipient, about one sweep: the key they are encrypted to, and what was left out, in services."""

    recipient: Given
    scope: Given
    sweep: Given
    key: Given
    services: int
    decoys_left_out: int
    opted_out: int
    waiting: int
    files: tuple[HandedFile, ...]


class Experiment(Event, frozen=True, tag="experiment"):
    """Until the end of a day (UTC), a recipient is not informed of the half of the addresses that the lot makes wait (`lot`)."""

    recipient: Given
    sweep: Given
    until: date
    key: Hexadecimal


AnyEvent = HandOver | Experiment
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def parse(data: bytes, where: str) -> History[AnyEvent]:
    """Read a register of hand-overs. Raises InputError naming the line."""
    return chained.parse(data, where, _event)


def _event(line: bytes, where: str) -> AnyEvent:
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(where, f"is not an event of a register of hand-overs: {error}") from None


def experiment_of(events: Sequence[AnyEvent], recipient: str, today: date) -> Experiment | None:
    """Return the experiment that is on for a recipient, the latest if there are several."""
    experiments = (
        event for event in reversed(events) if isinstance(event, Experiment) and event.recipient == recipient
    )
    return next((experiment for experiment in experiments if today <= experiment.until), None)


def key_of(events: Sequence[AnyEvent]) -> str | None:
    """Return the key of the first experiment: all experiments of a lake draw by it, so an address has one arm whoever is informed."""
    return next((event.key for event in events if isinstance(event, Experiment)), None)
