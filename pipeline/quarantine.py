"""The quarantine: hosts that fell silent after a visit are left alone for a year.

It is kept in the register, so that every sweep that obeys the register obeys it too, in the middle of a sweep as well.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from datetime import timedelta

from pipeline.errors import InputError
from pipeline.optout import Asked, check, names, now
from pipeline.register import Register, record, today
from pipeline.space.register import AnyEvent, Quarantine, Release, State

DAYS = 365


def add(register: Register, addresses: Iterable[int], sweep: str) -> list[str]:
    """Quarantine the hosts that a sweep found silent after its visit; those that are not quarantined already, by their names.

    Raises InputError.
    """
    blocks = sorted({f"{ipaddress.IPv4Address(address)}/32" for address in addresses})
    until, note = today() + timedelta(days=DAYS), f"silent after a visit of {sweep}"

    def make(state: State) -> list[AnyEvent]:
        fresh = [block for block in blocks if block not in state.quarantines]
        return [Quarantine(at=now(), who="census", block=block, until=until, note=note) for block in fresh]

    if not blocks:
        return []
    return [event.block for event in record(register, make) if isinstance(event, Quarantine)]


def expire(register: Register, blocks: Sequence[str], asked: Asked) -> list[str]:
    """End quarantines; their blocks' names. Raises InputError naming the blocks that are not quarantined."""
    wanted = names(blocks)
    check(asked)

    def make(state: State) -> list[AnyEvent]:
        unknown = [name for name in wanted if name not in state.quarantines]
        if unknown:
            raise InputError(register.where, f"not quarantined: {', '.join(unknown)}; `list` shows what is")
        return [Release(at=now(), who=asked.who, block=name, note=asked.note) for name in wanted]

    record(register, make)
    return wanted
