"""The quarantine: hosts that fell silent after a visit are left alone for a year.

It is kept in the register, so that every sweep that obeys the register obeys it too, in the middle of a sweep as well.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from datetime import timedelta

from pipeline.optout.edit import Asked, end, now
from pipeline.optout.events import AnyEvent, Quarantine, Release, State
from pipeline.optout.register import Register, record, today

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
    return end(register, blocks, asked, Release, lambda state: state.quarantines, "not quarantined")
